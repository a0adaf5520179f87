/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { inspect } from 'node:util';

/** Numbers that look random and are the same for the same seed. */
export class Random {
  constructor(private state: number) {}

  /** A whole number from zero up to, and without, the limit. */
  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) % limit;
  }

  isOneIn(count: number): boolean {
    return this.below(count) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

/** A value that no client expects. */
export function oddValue(random: Random): unknown {
  return random.pick(ODD)();
}

/**
 * A value like the one given, made anew: as it is, or with parts replaced by odd ones, and objects frozen, with getters,
 * inherited, behind a proxy, of a class, or hostile.
 * @param oneIn how many values stay as they are for one that is replaced
 */
export function varied(random: Random, value: unknown, oneIn = 25): unknown {
  if (random.isOneIn(oneIn)) return oddValue(random);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) {
    const list = value.map((item) => varied(random, item, oneIn));
    return random.isOneIn(4) ? Object.freeze(list) : list;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const entries = Object.entries(value).map(([name, part]) => [name, varied(random, part, oneIn)] as const);
  return random.isOneIn(3) ? random.pick(SHAPES)(random, entries) : Object.fromEntries(entries);
}

/** A text that shows whether anything changed the arguments; asks no getter and no proxy. */
export function shown(args: unknown): string {
  return inspect(args, { depth: 8, showProxy: true, maxStringLength: 60, maxArrayLength: 12, breakLength: 200 });
}

type Entries = readonly (readonly [string, unknown])[];

class Own {
  readonly secret = 'own';
}

const ODD: readonly (() => unknown)[] = [
  () => undefined,
  () => null,
  () => Number.NaN,
  () => -1,
  () => 1.5,
  () => 2 ** 53,
  () => 7n,
  () => Symbol('odd'),
  () => '',
  () => 'text',
  () => 'a\u0000b',
  () => 'lone \ud800 surrogate',
  () => 'x'.repeat(300),
  () => 'x'.repeat(66_000),
  () => true,
  () => false,
  () => [],
  () => [null],
  () => ({}),
  () => Object.create(null),
  () => new Own(),
  () => () => 'called',
  () => new Date(0),
  () => Buffer.from('bytes'),
  () => new Uint8Array([1, 2]),
  () => new Map([['a', 'b']]),
  () => Object.freeze({ frozen: 'yes' }),
  () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    return cyclic;
  },
  () => hostile('read'),
  () => Object.defineProperty({}, 'value', { enumerable: true, get: thrower('a getter') }),
  () => ({ toString: thrower('toString'), toJSON: thrower('toJSON') }),
];

const SHAPES: readonly ((random: Random, entries: Entries) => unknown)[] = [
  (_, entries) => Object.freeze(Object.fromEntries(entries)),
  (_, entries) => Object.create(Object.fromEntries(entries)),
  (_, entries) => Object.assign(Object.create(null), Object.fromEntries(entries)),
  (_, entries) => Object.assign(new Own(), Object.fromEntries(entries)),
  (_, entries) => new Proxy(Object.fromEntries(entries), {}),
  (_, entries) => ({ ...Object.fromEntries(entries), [Symbol('extra')]: 'symbol' }),
  (_, entries) => withGetters(entries, () => false),
  (random, entries) => {
    const bad = random.below(entries.length + 1);
    return withGetters(entries, (i) => i === bad);
  },
];

function withGetters(entries: Entries, isBad: (index: number) => boolean): object {
  const object = {};
  for (const [i, [name, value]] of entries.entries()) {
    const get = isBad(i) ? thrower(`the getter of ${name}`) : () => value;
    Object.defineProperty(object, name, { enumerable: true, configurable: true, get });
  }
  return object;
}

function hostile(what: string): object {
  const handler = { get: thrower(what), has: thrower(what), ownKeys: thrower(what), getPrototypeOf: thrower(what) };
  return new Proxy({}, handler);
}

function thrower(what: string) {
  return (): never => {
    throw new Error(`${what} is hostile`);
  };
}
