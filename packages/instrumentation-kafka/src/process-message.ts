/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { trace } from '@opentelemetry/api';
import { type Delivery, deliveryOf, handledHere, type ProcessOperation } from '@otel-messaging/messaging-common';

/**
 * The handler's own result, after it ran in the context and `process` span of a message of a batch: for handlers that do
 * not walk `batch.messages` as an array. In a walk, where the message has its context already, and without
 * instrumentation the handler just runs. Errors are the handler's.
 */
export function processMessage<M extends object, R>(message: M, handler: (message: M) => R): R {
  const delivery = deliveryOf(message);
  const operation = delivery && begin(delivery, message);
  return operation === undefined ? handler(message) : operation.handleAlone(handler, message);
}

function begin(delivery: Delivery, message: object): ProcessOperation | undefined {
  return delivery.batch.telemetry.guard('begin the handling of a message', undefined, () => {
    if (handledHere()?.message !== message) return delivery.begin(message);
    trace.getActiveSpan(); // of a walk, which starts it when it is asked for
    return undefined;
  });
}
