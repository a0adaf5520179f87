/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { types } from 'node:util';

/**
 * Whether a value is a promise that may be watched. Thenables are not: calling `then` on a lazy one (a query builder,
 * a promise subclass that starts on demand) would start its work.
 */
export function isObservable<T>(value: unknown): value is Promise<T> {
  return types.isPromise(value) && (value as Promise<unknown>).then === Promise.prototype.then;
}
