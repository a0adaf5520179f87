/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { deepFreeze } from '@otel-messaging/test-utils';
import { copyOf, copyWithout } from '../src/copies';

test('a frozen object gives a copy that can be changed', () => {
  const original = deepFreeze({ a: 1, b: { c: 2 } });
  const copy = copyOf(original);
  copy.a = 3;
  expect(copy).toEqual({ a: 3, b: { c: 2 } });
  expect(copy.b).toBe(original.b);
});

test("an instance's copy has the values of its getters, inherited ones too", () => {
  class Base {
    get inherited() {
      return 'base';
    }
  }
  class Input extends Base {
    readonly #secret = 'kept';
    own = 1;
    get secret() {
      return this.#secret;
    }
  }
  expect(copyOf(new Input())).toMatchObject({ own: 1, secret: 'kept', inherited: 'base' });
});

test('an object without a prototype is copied', () => {
  expect({ ...copyOf(Object.assign(Object.create(null), { a: 1 })) }).toEqual({ a: 1 });
});

test('a copy without some properties keeps the order of the others', () => {
  expect(Object.keys(copyWithout({ a: 1, b: 2, c: 3 }, (name) => name === 'b'))).toEqual(['a', 'c']);
});

test('a copy without some properties has one with the name __proto__, and no other prototype', () => {
  const original = JSON.parse('{"__proto__":{"a":1},"b":2,"c":3}');
  const copy = copyWithout(original, (name) => name === 'c');
  expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  expect(Object.entries(copy)).toEqual([
    ['__proto__', { a: 1 }],
    ['b', 2],
  ]);
  expect(Object.getOwnPropertyDescriptor(copy, '__proto__')).toEqual(
    Object.getOwnPropertyDescriptor(original, '__proto__'),
  );
});
