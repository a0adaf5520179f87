/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { DiagLogLevel, diag } from '@opentelemetry/api';
import type { Patches } from '../src/patching';
import { TestInstrumentation } from './support';

class Client {
  send(message: string): string {
    return `sent ${message}`;
  }
}

let holder: { send: (message: string) => string };
let patches: Patches;

const loudly = (original: (message: string) => string) =>
  function send(this: unknown, message: string): string {
    return original.call(this, `${message}!`);
  };

/** As shimmer wraps: what other instrumentations do. */
function wrapByOthers(target: { send: unknown }): () => void {
  const original = target.send as (message: string) => string;
  const wrapped = (message: string) => original(`<${message}>`);
  Object.assign(wrapped, { __wrapped: true, __original: original, __unwrap: () => {} });
  target.send = wrapped;
  return () => {
    target.send = original;
  };
}

beforeEach(() => {
  holder = { send: (message) => `sent ${message}` };
  patches = new TestInstrumentation().patches;
});

test('a method is wrapped, and put back as the very same', () => {
  const { send } = holder;
  expect(patches.add(holder, 'send', loudly)).toBe(true);
  expect(holder.send('a')).toBe('sent a!');
  patches.removeAll();
  expect(holder.send).toBe(send);
});

test('it is wrapped once, however often it is asked for', () => {
  patches.add(holder, 'send', loudly);
  patches.add(holder, 'send', loudly);
  expect(holder.send('a')).toBe('sent a!');
  expect(patches.count).toBe(1);
});

test('it is wrapped again after it was put back', () => {
  patches.add(holder, 'send', loudly);
  patches.removeAll();
  patches.add(holder, 'send', loudly);
  expect(holder.send('a')).toBe('sent a!');
});

test('two copies of a module are two targets', () => {
  const other = { ...holder };
  patches.add(holder, 'send', loudly);
  patches.add(other, 'send', loudly);
  expect([holder.send('a'), other.send('a')]).toEqual(['sent a!', 'sent a!']);
});

test('the wrapper has the name and arity of the method', () => {
  patches.add(Client.prototype, 'send', () => () => 'x');
  expect([Client.prototype.send.name, Client.prototype.send.length]).toEqual(['send', 1]);
  patches.removeAll();
});

test('an enumerable property stays enumerable, one that is not stays so', () => {
  patches.add(holder, 'send', loudly);
  patches.add(Client.prototype, 'send', loudly);
  expect(Object.keys(holder)).toEqual(['send']);
  expect(Object.keys(Client.prototype)).toEqual([]);
  patches.removeAll();
  expect(Object.keys(holder)).toEqual(['send']);
  expect(Object.keys(Client.prototype)).toEqual([]);
});

test('an inherited method is patched on the object alone, and is inherited again afterwards', () => {
  const client = new Client();
  patches.add(client, 'send', loudly);
  expect(client.send('a')).toBe('sent a!');
  expect(new Client().send('a')).toBe('sent a');
  patches.removeAll();
  expect(Object.hasOwn(client, 'send')).toBe(false);
});

test.each<[string, object]>([
  ['missing', {}],
  ['no function', { send: 'x' }],
  ['frozen', Object.freeze({ send: () => 'x' })],
  ['a getter that cannot be redefined', Object.defineProperty({}, 'send', { get: () => () => 'x' })],
])('a method that is %s is left alone', (_, target) => {
  expect(patches.add(target, 'send', loudly)).toBe(false);
  expect(patches.count).toBe(0);
});

test('a wrapper that cannot be made leaves the method alone', () => {
  const { send } = holder;
  const fails = () => {
    throw new Error('ours');
  };
  expect(patches.add(holder, 'send', fails)).toBe(false);
  expect(holder.send).toBe(send);
});

describe('beside another instrumentation', () => {
  test('its wrapper below ours stays', () => {
    wrapByOthers(holder);
    const theirs = holder.send;
    patches.add(holder, 'send', loudly);
    expect(holder.send('a')).toBe('sent <a!>');
    patches.removeAll();
    expect(holder.send).toBe(theirs);
  });

  test('its wrapper above ours stays when ours is removed', () => {
    patches.add(holder, 'send', loudly);
    wrapByOthers(holder);
    const theirs = holder.send;
    patches.removeAll();
    expect(holder.send).toBe(theirs);
  });

  test('ours below theirs is not wrapped a second time when it is added again', () => {
    patches.add(holder, 'send', loudly);
    wrapByOthers(holder);
    patches.removeAll();
    patches.add(holder, 'send', loudly);
    expect(holder.send('a')).toBe('sent <a>!');
  });

  test('nor below a wrapper that does not tell what it wraps', () => {
    patches.add(holder, 'send', loudly);
    const inner = holder.send;
    holder.send = (message) => inner(`(${message})`);
    patches.removeAll();
    patches.add(holder, 'send', loudly);
    expect(holder.send('a')).toBe('sent (a)!');
  });

  test('ours below theirs is put back once theirs is gone', () => {
    const { send } = holder;
    patches.add(holder, 'send', loudly);
    const unwrap = wrapByOthers(holder);
    patches.removeAll();
    unwrap();
    patches.removeAll();
    expect(holder.send).toBe(send);
  });

  test('ours is wrapped anew where somebody has put the method back', () => {
    const { send } = holder;
    patches.add(holder, 'send', loudly);
    holder.send = send;
    expect(patches.add(holder, 'send', loudly)).toBe(true);
    expect(holder.send('a')).toBe('sent a!');
  });

  test.each(['ours first', 'theirs first'])('without a mark ours stays, %s, and both can be taken off', (order) => {
    const { send } = holder;
    const other = new TestInstrumentation() as unknown as Record<'_wrap' | '_unwrap', (...args: unknown[]) => void>;
    const steps = [
      () => patches.addUnmarked(holder, 'send', (original) => (message) => original()(`${message}!`)),
      () =>
        other._wrap(holder, 'send', (original: (message: string) => string) => (message: string) => {
          return original(`<${message}>`);
        }),
    ];
    for (const step of order === 'ours first' ? steps : steps.reverse()) step();
    expect(patches.has(holder, 'send')).toBe(true);
    expect(holder.send('a')).toBe(order === 'ours first' ? 'sent <a>!' : 'sent <a!>');
    other._unwrap(holder, 'send');
    expect(holder.send('a')).toBe('sent a!');
    patches.removeAll();
    expect(holder.send).toBe(send);
    expect(patches.has(holder, 'send')).toBe(false);
  });
});

describe('beside another instance of the same instrumentation', () => {
  const diagnosed: string[] = [];
  let first: TestInstrumentation;
  let second: TestInstrumentation;

  beforeEach(() => {
    diagnosed.length = 0;
    const log = (...words: unknown[]) => void diagnosed.push(words.join(' '));
    diag.setLogger({ error: log, warn: log, info: log, debug: log, verbose: log }, DiagLogLevel.WARN);
    diagnosed.length = 0; // that there is a logger
    first = new TestInstrumentation();
    second = new TestInstrumentation();
    first.patches.add(holder, 'send', loudly);
  });
  afterEach(() => diag.disable());

  test('the method is wrapped once, and the other one says so, once', () => {
    expect(second.patches.add(holder, 'send', loudly)).toBe(true);
    expect(second.patches.add({ send: holder.send }, 'send', loudly)).toBe(true);
    expect(holder.send('a')).toBe('sent a!');
    expect(second.patches.count).toBe(0);
    expect(diagnosed).toEqual([
      '@otel-messaging/instrumentation-test @otel-messaging/instrumentation-test is registered already: this instance of it traces nothing',
    ]);
  });

  test('also below a wrapper of others', () => {
    wrapByOthers(holder);
    second.patches.add(holder, 'send', loudly);
    expect(holder.send('a')).toBe('sent <a>!');
  });

  test('but not where the first is off, or its wrapper has to stay inside', () => {
    wrapByOthers(holder);
    first.disable();
    second.patches.add(holder, 'send', loudly);
    expect(second.patches.count).toBe(1);
    expect(diagnosed).toEqual([]);
  });

  test('nor where the other one is another instrumentation', () => {
    const other = new TestInstrumentation();
    Object.assign(other, { instrumentationName: '@otel-messaging/instrumentation-other' });
    other.patches.add(holder, 'send', loudly);
    expect(holder.send('a')).toBe('sent a!!');
  });
});
