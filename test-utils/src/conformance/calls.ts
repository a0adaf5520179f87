/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { runInThisContext } from 'node:vm';

/** How a call went, in a form that can be compared between two calls. */
export interface CallOutcome {
  readonly manner: 'returned' | 'threw' | 'resolved' | 'rejected';
  /** Name and message of an error; type, class and keys of a value. */
  readonly what: string;
}

export async function outcomeOf(call: () => unknown): Promise<CallOutcome> {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    return { manner: 'threw', what: describeError(error) };
  }
  if (!(result instanceof Promise)) return { manner: 'returned', what: describeValue(result) };
  try {
    return { manner: 'resolved', what: describeValue(await result) };
  } catch (error) {
    return { manner: 'rejected', what: describeError(error) };
  }
}

/** Rejections that nobody handled while the code ran, and one turn of the event loop later. */
export async function unhandledRejections(code: () => unknown): Promise<string[]> {
  const seen: string[] = [];
  const listener = (reason: unknown) => {
    seen.push(describeError(reason));
  };
  // jest gives tests a copy of `process`, and listens itself on the real one.
  const real = runInThisContext('process') as NodeJS.Process;
  const others = real.listeners('unhandledRejection');
  real.removeAllListeners('unhandledRejection');
  real.on('unhandledRejection', listener);
  try {
    await code();
    await new Promise((resolve) => setTimeout(resolve, 50));
  } finally {
    real.removeListener('unhandledRejection', listener);
    for (const other of others) real.on('unhandledRejection', other);
  }
  return seen;
}

function describeError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : `thrown ${typeof error} ${String(error)}`;
}

function describeValue(value: unknown): string {
  if (typeof value !== 'object' || value === null)
    return value === undefined ? 'undefined' : `${typeof value} ${value}`;
  if (Array.isArray(value)) return `array of ${value.length}: ${value.length > 0 ? describeValue(value[0]) : ''}`;
  return `${value.constructor?.name ?? 'object'} with ${Object.keys(value).sort().join(', ')}`;
}
