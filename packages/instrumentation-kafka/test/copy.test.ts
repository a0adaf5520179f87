/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { copyOf } from '../src/copy';

describe('a copy of an instance of a class', () => {
  class Order {
    #value = 'secret';
    headers = { tenant: 'a' };
    get value(): string {
      return this.#value;
    }
    key(): string {
      return 'method';
    }
    get length(): number {
      return this.#value.length;
    }
    rename(value: string): void {
      this.#value = value;
    }
  }

  test('keeps its getters, private fields and methods', () => {
    const order = new Order();
    const copy = copyOf(order, ['value', 'key'], { headers: { tenant: 'b' } });
    expect(copy).toBeInstanceOf(Order);
    expect(copy.value).toBe('secret');
    expect(copy.key()).toBe('method');
    expect(copy.length).toBe(6); // also what the client does not read, but a partitioner
    copy.rename('other');
    expect([copy.length, order.value]).toEqual([5, 'other']);
    expect([copy.headers.tenant, order.headers.tenant]).toEqual(['b', 'a']);
  });

  test('works on a frozen one', () => {
    const copy = copyOf(Object.freeze(new Order()), ['value'], { headers: { tenant: 'b' } });
    expect(copy.headers).toEqual({ tenant: 'b' });
  });

  test('of an object without a prototype is a plain copy', () => {
    const bare = Object.assign(Object.create(null), { topic: 't', messages: [] });
    expect({ ...copyOf(bare, [], { messages: [1] }) }).toEqual({ topic: 't', messages: [1] });
  });
});
