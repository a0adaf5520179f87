/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

export { KafkaInstrumentation, type KafkaInstrumentationConfig } from './instrumentation';
