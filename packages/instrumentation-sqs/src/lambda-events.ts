/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { LambdaRecord } from './lambda-record';

/**
 * The records that traced handlers have in hand, for all copies of this package: a handler that is wrapped within another one
 * (by a library, or by the preload and the application) gets the same, and just runs.
 */
const IN_HAND = Symbol.for('otel-messaging records in hand');

export function areInHand(records: readonly LambdaRecord[]): boolean {
  return inHand().has(records);
}

export function takeInHand(records: readonly LambdaRecord[]): void {
  inHand().add(records);
}

export function putAway(records: readonly LambdaRecord[]): void {
  inHand().delete(records);
}

function inHand(): WeakSet<object> {
  const holder = globalThis as { [IN_HAND]?: WeakSet<object> };
  holder[IN_HAND] ??= new WeakSet();
  return holder[IN_HAND];
}
