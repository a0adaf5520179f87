/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

export type { SqsInstrumentationConfig } from './config';
export { SqsInstrumentation } from './instrumentation';
export { wrapSqsHandler } from './lambda';
export {
  messageContext,
  type ProcessBatchOptions,
  type ProcessBatchResult,
  processBatch,
  processMessage,
} from './process';
