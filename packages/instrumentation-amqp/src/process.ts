/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { deliveryOf, type ProcessOperation } from '@otel-messaging/messaging-common';

/**
 * The handler's own result, after it ran in the context and the consume span of a message that `get` has brought: nothing
 * else tells where the handling of such a message begins and ends. Without instrumentation, and for any other message, the
 * handler just runs. Errors are the handler's.
 */
export function processMessage<M extends object, R>(message: M, handler: (message: M) => R): R {
  const operation = begin(message);
  return operation === undefined ? handler(message) : operation.handleAlone(handler, message);
}

function begin(message: object): ProcessOperation | undefined {
  const delivery = deliveryOf(message);
  return delivery?.batch.telemetry.guard('begin a message', undefined, () => delivery.begin(message));
}
