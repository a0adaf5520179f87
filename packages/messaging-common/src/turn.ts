/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { executionAsyncId, executionAsyncResource } from 'node:async_hooks';

/** A stretch of code between two awaits, to be compared with another one. */
export type Turn = number;

/**
 * The turn that is now. Where an AsyncLocalStorage follows promises by hooks (Node 20 and 22), every continuation has an
 * id, which costs nothing to read; elsewhere a microtask counts turns.
 */
export function currentTurn(): Turn {
  if (idsTell) return executionAsyncId();
  if (!isCounted) {
    isCounted = true;
    RESOLVED.then(countTurn);
  }
  return -count;
}

/** Whether something was awaited since. */
export function hasPassed(turn: Turn): boolean {
  return turn < 0 ? turn !== -count : turn !== executionAsyncId();
}

const RESOLVED = Promise.resolve();
let count = 1;
let isCounted = false;
let idsTell = false;

function countTurn(): void {
  isCounted = false;
  count++;
  idsTell = executionAsyncResource() instanceof Promise;
}
