/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

export { AmqpInstrumentation, type AmqpInstrumentationConfig } from './instrumentation';
export { processMessage } from './process';
