/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  type ActiveOperation,
  type Delivery,
  deliveryOf,
  isFollowed,
  isObservable,
  type OperationPlan,
  type Telemetry,
  unfollow,
} from '@otel-messaging/messaging-common';

/** The result of a handler, as it is; the operation is over with it. */
export function endsWith<R>(operation: ActiveOperation, result: R): R {
  if (!isObservable(result)) operation.end();
  else
    result.then(
      () => operation.end(),
      (error) => operation.fail(workError(error)),
    );
  return result;
}

/**
 * The result of all that is done with a message, as it is. The operation is held until then, so that it is recorded with
 * what has become known, and has its span in any case.
 */
export function concludeAfter<R>(operation: Handling, code: () => R): R {
  // Where something was thrown before the handler began, nobody has ended it yet.
  const conclude = () => {
    operation.end();
    operation.conclude();
  };
  operation.hold();
  try {
    const result = code();
    operation.activeSpan();
    if (isObservable(result)) result.then(conclude, conclude);
    else conclude();
    return result;
  } catch (error) {
    conclude();
    throw error;
  }
}

type Handling = Pick<ActiveOperation, 'hold' | 'end' | 'conclude'> & { activeSpan(): unknown };

/** The deliveries of messages; undefined unless all of them came by an instrumented client. */
export function deliveriesOf(messages: readonly object[]): Delivery[] | undefined {
  const deliveries: Delivery[] = [];
  for (let i = 0; i < messages.length; i++) {
    const delivery = deliveryOf(messages[i]);
    if (delivery === undefined) return undefined;
    deliveries.push(delivery);
  }
  return deliveries;
}

/** An array without our iteration, where it has that; anything else as it is. */
export function plainCopy<T>(value: T): T {
  if (!Array.isArray(value) || !isFollowed(value)) return value;
  const copy: unknown[] = [];
  for (let i = 0; i < value.length; i++) copy.push(value[i]); // by index: its own iteration handles messages
  return copy as T;
}

/**
 * Makes the consumer's array what the handler has made of the one that it was shown, which is no longer followed: what
 * becomes of a batch that has failed is decided by what is left in it.
 */
export function takeOverFrom<T extends object>(shown: T[], kept: T[]): void {
  unfollow(shown);
  if (shown.length === kept.length && shown.every((message, i) => message === kept[i])) return;
  kept.length = 0;
  kept.push(...shown);
}

/** The plan of the batch whose messages have the given one; made once. */
export function batchPlanOf(telemetry: Telemetry, messagePlan: OperationPlan): OperationPlan {
  const known = batchPlans.get(messagePlan);
  if (known !== undefined) return known;
  const plan = telemetry.plan({ ...messagePlan.facts, isBatch: true });
  batchPlans.set(messagePlan, plan);
  return plan;
}

const batchPlans = new WeakMap<OperationPlan, OperationPlan>();

/** What a handler has thrown, behind the error that the consumer makes of it. */
function workError(error: unknown): unknown {
  const { name, cause } = (error ?? {}) as { readonly name?: unknown; readonly cause?: unknown };
  return name === 'StandardError' && cause !== undefined ? cause : error;
}
