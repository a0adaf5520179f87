/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

export { captureContext } from '@otel-messaging/messaging-common';
export { KafkaInstrumentation, type KafkaInstrumentationConfig } from './instrumentation';
export { processMessage } from './process-message';
export type { RetryTopic, RetryTopicOf } from './retry-topics';
