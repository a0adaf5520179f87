/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

export {
  type Answer,
  type RuntimeInterface,
  type RuntimeInterfaceOptions,
  startRuntimeInterface,
} from './runtime-interface';
export { type ReceivedMessage, sqsEvent } from './sqs-event';
