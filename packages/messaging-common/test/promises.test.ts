/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { isObservable } from '../src';

describe('a promise that may be watched', () => {
  class Plain extends Promise<void> {}
  class Lazy extends Promise<void> {
    // biome-ignore lint/suspicious/noThenProperty: a promise that starts its work when it is asked
    override then = (() => new Promise(() => {})) as never;
  }

  test.each<[string, unknown, boolean]>([
    ['a promise', Promise.resolve(), true],
    ['of an asynchronous function', (async () => {})(), true],
    ['of a class of its own', new Plain(() => {}), true],
    ['that starts when it is asked', new Lazy(() => {}), false],
    // biome-ignore lint/suspicious/noThenProperty: the very thing that is tested
    ['a thenable', { then: () => {} }, false],
    ['nothing', undefined, false],
    ['an object with the prototype only', Object.create(Promise.prototype), false],
  ])('%s: %s', (_, value, expected) => {
    expect(isObservable(value)).toBe(expected);
  });
});
