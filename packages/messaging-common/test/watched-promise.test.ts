/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { execFileSync } from 'node:child_process';
import { inspect } from 'node:util';
import { unhandledRejections } from '@otel-messaging/test-utils';
import { type Message, pause, Rig } from './support';

let rig: Rig;
let messages: Message[];

beforeEach(() => {
  rig = new Rig();
  messages = rig.received(['one', 'two'].map((id) => rig.sent({ facts: { id } })));
});

afterEach(async () => {
  expect(rig.reports).toEqual([]);
  expect(rig.tracing.openSpans).toBe(0);
  await rig.tracing.stop();
});

const fail = async () => {
  await pause();
  throw new Error('mine');
};

/** The error types of the messages' spans. */
const failures = () => rig.spans('process orders').map(({ attributes }) => attributes['error.type']);

describe('a promise that a callback returns', () => {
  test('is the one that map gives, with the members it has', async () => {
    const made: Promise<void>[] = [];
    const given = messages.map(() => {
      const promise = Object.assign(pause(), { child: 'process' });
      made.push(promise);
      return promise;
    });
    expect(given.map(({ child }) => child)).toEqual(['process', 'process']);
    for (const [i, promise] of given.entries()) expect(promise).toBe(made[i]);
    await Promise.all(given);
    expect(rig.spans('process orders')).toHaveLength(2);
  });

  test('of a class of its own stays so', async () => {
    class Job extends Promise<void> {
      cancel = () => 'cancelled';
    }
    const [job] = messages.map(() => new Job((resolve) => resolve()));
    expect(job).toBeInstanceOf(Job);
    expect(job?.constructor).toBe(Job);
    expect(job?.cancel()).toBe('cancelled');
    expect(job?.then()).toBeInstanceOf(Job);
    await pause();
  });

  test('looks like any other', async () => {
    const [promise] = messages.slice(0, 1).map(() => pause());
    expect(inspect(promise)).toMatch(/^Promise {\s*<pending>/);
    expect(promise).toBeInstanceOf(Promise);
    expect(promise?.constructor).toBe(Promise);
    expect(Object.prototype.toString.call(promise)).toBe('[object Promise]');
    expect(Object.getOwnPropertyNames(promise)).toEqual([]);
    await promise;
  });

  test('may be the same for all messages', async () => {
    const one = pause();
    const given = messages.map(() => one);
    expect(given).toEqual([one, one]);
    expect(given[0]).toBe(given[1]);
    await one;
    await pause();
    expect(rig.spans('process orders')).toHaveLength(2);
  });

  test('may be frozen', async () => {
    const given = messages.map(() => Object.freeze(pause()));
    await Promise.all(given);
    expect(rig.spans('process orders')).toHaveLength(2);
  });

  test('may be given another constructor', async () => {
    const [promise] = messages.slice(0, 1).map(() => pause());
    class Other extends Promise<void> {}
    promise!.constructor = Other;
    expect(promise!.then()).toBeInstanceOf(Other);
    expect(Object.keys(promise!)).toEqual(['constructor']);
    await promise;
  });
});

describe('a rejection that nobody handles is reported as unhandled, once,', () => {
  test.each<[string, () => unknown]>([
    ['from map', () => messages.slice(0, 1).map(fail)],
    ['from forEach', () => messages.slice(0, 1).forEach(fail)],
    ['of one promise for all messages', () => [fail()].map((one) => messages.map(() => one))],
    ['from an inner walk', () => messages.slice(0, 1).map(() => messages.slice(0, 1).map(fail)[0])],
  ])('%s', async (_, code) => {
    expect(await unhandledRejections(code)).toEqual(['Error: mine']);
    expect(failures()).toContain('Error');
  });
});

describe('a rejection is not reported as unhandled where it is handled by', () => {
  const kept: Promise<void>[] = [];
  const keep = () => {
    const promise = fail();
    kept.push(promise);
    return promise;
  };
  beforeEach(() => void kept.splice(0));

  test.each<[string, () => Promise<unknown>]>([
    ['await', async () => await kept[0]],
    ['then', () => kept[0]!.then(undefined, () => {})],
    ['catch', () => kept[0]!.catch(() => {})],
    ['finally', () => kept[0]!.finally(() => {}).catch(() => {})],
    ['Promise.all', () => Promise.all(kept)],
    ['Promise.allSettled', () => Promise.allSettled(kept)],
    ['Promise.race', () => Promise.race(kept)],
    ['Promise.any', () => Promise.any(kept)],
    ['return from an asynchronous function', () => (async () => kept[0])()],
    ['another promise', () => new Promise((resolve) => resolve(kept[0]))],
    [
      'for await',
      async () => {
        for await (const _ of kept);
      },
    ],
    [
      'yield of an asynchronous generator',
      async () => {
        async function* all() {
          yield kept[0];
        }
        for await (const _ of all());
      },
    ],
  ])('%s, of the promise that was kept', async (_, handle) => {
    for (const method of ['map', 'forEach'] as const) {
      kept.splice(0);
      const walk = async () => {
        messages.slice(0, 1)[method](keep);
        await handle().catch(() => {});
      };
      expect(await unhandledRejections(walk)).toEqual([]);
    }
    expect(failures()).toEqual(['Error']);
  });

  test('the result of map', async () => {
    const walk = () => Promise.all(messages.map(fail)).catch(() => {});
    expect(await unhandledRejections(walk)).toEqual([]);
    expect(failures()).toEqual(['Error', 'Error']);
  });
});

test('promises of others are awaited as quickly as before', () => {
  const script = `
    const { watchGivenBack } = require(${JSON.stringify(require.resolve('../build/watched-promise.js'))});
    const before = %PromiseSpeciesProtector();
    const promise = (async () => {})();
    const isWatched = watchGivenBack(promise, () => {}, () => {});
    promise.then(() => console.log(before, isWatched, %PromiseSpeciesProtector()));`;
  const output = execFileSync(process.execPath, ['--allow-natives-syntax', '-e', script], { encoding: 'utf8' });
  expect(output).toBe('true true true\n');
});
