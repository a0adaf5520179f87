/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { isBehind, type Path, Surroundings } from '../src/surroundings';
import { pause } from './support';

const look = () => Surroundings.of(look);

describe('a look at the stack tells', () => {
  test('a function that goes on after an await from one that was called', async () => {
    const called = () => look();
    await pause();
    expect(look()?.isResumed).toBe(true);
    expect(called()?.isResumed).toBe(false);
    expect(called()?.isAlone).toBe(false);
  });

  test('a generator, and whether the one who asks it is alone', async () => {
    function* each() {
      yield look();
    }
    const first = () => each().next().value;
    await pause();
    expect(each().next().value).toMatchObject({ isGenerator: true, isAlone: true, isDrivenByApplication: true });
    expect(first()).toMatchObject({ isGenerator: true, isAlone: false });
    expect(look()?.isGenerator).toBe(false);
  });

  test('the same function by where it begins', async () => {
    async function* each() {
      await pause();
      yield look();
      yield look();
    }
    const [first, second] = await collect(each());
    expect(first?.walker).toBe(second?.walker);
    expect(first?.walker).not.toBe(look()?.walker);
    expect(first?.isResumed).toBe(true);
    expect(second?.isGenerator).toBe(true);
  });

  test('the stack of a microtask and of a timer from what runs them', async () => {
    await new Promise<void>((resolve) =>
      queueMicrotask(() => {
        expect(look()?.isResumed).toBe(true);
        resolve();
      }),
    );
    await new Promise<void>((resolve) =>
      setTimeout(() => {
        expect(look()?.isResumed).toBe(true);
        resolve();
      }),
    );
  });
});

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

describe('a look', () => {
  const settings = ['stackTraceLimit', 'prepareStackTrace'] as const;
  const values = () => settings.map((name) => Error[name]);

  test('leaves the settings of errors as they were', () => {
    const before = values();
    expect(look()).toBeDefined();
    expect(values()).toEqual(before);
    expect(typeof new Error('mine').stack).toBe('string');
  });

  test('is done without where errors are frozen', () => {
    const limit = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit');
    Object.defineProperty(Error, 'stackTraceLimit', { ...limit, writable: false });
    try {
      expect(look()).toBeUndefined();
    } finally {
      Object.defineProperty(Error, 'stackTraceLimit', limit ?? { value: 10, writable: true, configurable: true });
    }
    expect(look()).toBeDefined();
  });

  test('is not taken again and again', () => {
    let taken = 0;
    const startedMs = performance.now();
    for (let i = 0; i < 5000; i++) if (look() !== undefined) taken++;
    expect(taken).toBeLessThanOrEqual(101 + (performance.now() - startedMs) / 10);
  });
});

describe('a walk of earlier in the turn is behind us', () => {
  const at = (...places: string[]): Path =>
    places.map((place) => {
      const [name = '', line] = place.split(':');
      return { name, line: Number(line), column: 1 };
    });

  test.each<[string, Path, Path, boolean]>([
    ['not in the same function, further on', at('walk:5', 'main:1'), at('walk:6', 'main:1'), false],
    ['not in a function that it calls', at('walk:5', 'main:1'), at('inner:9', 'walk:6', 'main:1'), false],
    ['if its caller has gone on', at('walk:5', 'main:1'), at('walk:5', 'main:2'), true],
    ['if its function was called anew from the same place', at('walk:5', 'main:1'), at('walk:5', 'main:1'), true],
    ['if another function was called from there', at('walk:5', 'main:1'), at('other:5', 'main:1'), true],
    ['if we are further out', at('walk:5', 'main:1'), at('main:2'), true],
    ['in a loop of the bottom function, not', at('main:1'), at('inner:3', 'main:2'), false],
  ])('%s', (_, earlier, now, expected) => {
    expect(isBehind(earlier, now)).toBe(expected);
  });
});
