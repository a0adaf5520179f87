/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

export { getMessagingInstrumentations, type MessagingInstrumentationsConfig } from './messaging';
