/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import assert from 'node:assert';
import { execFileSync } from 'node:child_process';
import { inspect } from 'node:util';
import { context, type HrTime, trace } from '@opentelemetry/api';
import type { BatchProcessOperation } from '../src/batch-process-operation';
import { activeSpanId, applicationWork, type Message, pause, Rig, reader, writer } from './support';

let rig: Rig;
let messages: Message[];

beforeEach(() => {
  rig = new Rig();
  messages = rig.received(['one', 'two', 'three'].map((id) => rig.sent({ facts: { id } })));
});

afterEach(async () => {
  expect(rig.reports).toEqual([]);
  expect(rig.tracing.openSpans).toBe(0);
  await rig.tracing.stop();
});

/** Ids of the messages that have a span. */
const processed = () =>
  rig
    .spans('process orders')
    .map((span) => String(span.attributes['messaging.message.id']))
    .sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
const ORDER = ['one', 'two', 'three', 'four', 'five'];

const milliseconds = ([seconds, nanoseconds]: HrTime) => seconds * 1000 + nanoseconds / 1e6;

describe('for…of', () => {
  test('gives each message of an asynchronous body a span in its own trace', async () => {
    for (const _ of messages) {
      await pause();
      applicationWork();
    }
    expect(rig.text(['messaging.message.id'])).toBe(
      [
        'send orders PRODUCER {messaging.message.id=one}',
        '└─ process orders CONSUMER {messaging.message.id=one}  → send orders, receive orders',
        '   └─ work INTERNAL',
        'send orders PRODUCER {messaging.message.id=two}',
        '└─ process orders CONSUMER {messaging.message.id=two}  → send orders, receive orders',
        '   └─ work INTERNAL',
        'send orders PRODUCER {messaging.message.id=three}',
        '└─ process orders CONSUMER {messaging.message.id=three}  → send orders, receive orders',
        '   └─ work INTERNAL',
        'receive orders CLIENT  → send orders, send orders, send orders',
      ].join('\n'),
    );
  });

  test('makes no span for a body that is synchronous and asks for nothing', () => {
    const ids: unknown[] = [];
    for (const { facts } of messages) ids.push(facts?.id);
    expect(ids).toEqual(['one', 'two', 'three']);
    expect(processed()).toEqual([]);
  });

  test('makes a span for a synchronous body that starts a span', () => {
    for (const { facts } of messages) if (facts?.id === 'two') applicationWork();
    expect(processed()).toEqual(['two']);
    expect(rig.span('work').parentSpanContext?.spanId).toBe(rig.span('process orders').spanContext().spanId);
  });

  test('makes a span for an asynchronous body even if it asks for nothing', async () => {
    for (const _ of messages) await undefined;
    expect(processed()).toEqual(['one', 'two', 'three']);
  });

  test('spans are as long as their bodies', async () => {
    const startedMs = performance.now();
    for (const _ of messages) await new Promise((resolve) => setTimeout(resolve, 12));
    const tookMs = performance.now() - startedMs;
    const durations = rig.spans('process orders').map(({ duration }) => milliseconds(duration));
    expect(durations).toHaveLength(3);
    expect(Math.min(...durations)).toBeGreaterThan(10);
    expect(durations.reduce((sum, one) => sum + one, 0)).toBeLessThan(tookMs + 1);
  });

  test('break ends the span and restores what was active', async () => {
    for (const _ of messages) {
      await pause();
      break;
    }
    expect(processed()).toEqual(['one']);
    expect(activeSpanId()).toBeUndefined();
  });

  test('an error thrown out of the body ends the span and passes on', async () => {
    const error = new Error('mine');
    const walk = async () => {
      for (const _ of messages) {
        await pause();
        throw error;
      }
    };
    await expect(walk()).rejects.toBe(error);
    expect(processed()).toEqual(['one']);
  });

  test('return from within the body ends the span', async () => {
    const first = async () => {
      for (const message of messages) {
        await pause();
        return message;
      }
    };
    expect(await first()).toBe(messages[0]);
    expect(processed()).toEqual(['one']);
  });

  test('continue goes on to the next message', async () => {
    for (const { facts } of messages) {
      if (facts?.id === 'two') continue;
      await pause();
    }
    expect(processed()).toEqual(['one', 'three']);
  });

  test('what was active before is active after', async () => {
    await rig.tracing.inSpan('poll', async () => {
      const before = activeSpanId();
      for (const _ of messages) await pause();
      expect(activeSpanId()).toBe(before);
      for (const _ of messages) expect(activeSpanId()).toBeDefined();
      expect(activeSpanId()).toBe(before);
    });
  });

  test('for await is followed like for…of', async () => {
    for await (const _ of messages) applicationWork();
    expect(processed()).toEqual(['one', 'two', 'three']);
    expect(new Set(rig.spans('work').map((span) => span.parentSpanContext?.spanId))).toEqual(
      new Set(rig.spans('process orders').map((span) => span.spanContext().spanId)),
    );
  });

  test('a foreign span that is active where the message is taken is linked', async () => {
    await rig.tracing.inSpan('request', async () => {
      for (const _ of messages) await pause();
    });
    const [first] = rig.spans('process orders');
    expect(first?.links.map((link) => link.context.spanId)).toContain(rig.span('request').spanContext().spanId);
  });
});

describe('a loop in a function that the application awaits', () => {
  const handleAll = async (list: Message[]) => {
    for (const _ of list) {
      await pause();
      applicationWork('inside');
    }
  };

  test('leaves the caller with what was active before', async () => {
    await rig.tracing.inSpan('poll', async () => {
      await handleAll(messages);
      applicationWork('afterwards');
    });
    expect(rig.span('afterwards').parentSpanContext?.spanId).toBe(rig.span('poll').spanContext().spanId);
    expect(rig.spans('inside')).toHaveLength(3);
  });

  test('leaves the caller without a span if none was active', async () => {
    await handleAll(messages);
    expect(trace.getActiveSpan()).toBeUndefined();
    applicationWork('afterwards');
    expect(rig.span('afterwards').parentSpanContext).toBeUndefined();
  });

  test('leaves the caller without the baggage of the first message', async () => {
    const first = { headers: { ...rig.sent().headers, baggage: 'tenant=a' } };
    await handleAll(rig.received([first]));
    const [next] = rig.received([rig.sent()]);
    expect(next?.headers?.['baggage']).toBeUndefined();
    expect(rig.sent().headers).not.toHaveProperty('baggage');
  });

  test('keeps what the caller sets in the meantime', async () => {
    const key = Symbol('own');
    const walk = handleAll(messages);
    const own = context.active().setValue(key, 'mine');
    await walk;
    expect(own.getValue(key)).toBe('mine');
    expect(trace.getSpan(own)).toBeUndefined();
  });
});

describe('several passes and loops', () => {
  test('a second pass over the same array makes no second spans', async () => {
    for (const _ of messages) await pause();
    for (const _ of messages) await pause();
    expect(processed()).toEqual(['one', 'two', 'three']);
  });

  test('work in a second pass belongs to the span of its message', async () => {
    await Promise.all(messages.map(pause));
    for (const { facts } of messages) {
      await pause();
      applicationWork(String(facts?.id));
    }
    expect(processed()).toEqual(['one', 'two', 'three']);
    for (const span of rig.spans('process orders')) {
      const child = rig.span(String(span.attributes['messaging.message.id']));
      expect(child.parentSpanContext?.spanId).toBe(span.spanContext().spanId);
    }
    expect(trace.getActiveSpan()).toBeUndefined();
  });

  test('a pass after one that asked for nothing makes the spans', async () => {
    for (const _ of messages);
    for (const _ of messages) await pause();
    expect(processed()).toEqual(['one', 'two', 'three']);
  });

  test('an inner pass over the same messages belongs to the one span of each', async () => {
    for (const _ of messages) {
      applicationWork('outer');
      for (const _ of messages) applicationWork('inner');
    }
    expect(processed()).toEqual(['one', 'two', 'three']);
    const ids = rig.spans('process orders').map((span) => span.spanContext().spanId);
    for (const { parentSpanContext } of rig.spans('inner')) expect(ids).toContain(parentSpanContext?.spanId);
  });

  test('two loops at once over two arrays do not disturb each other', async () => {
    const others = rig.received([rig.sent({ facts: { id: 'four' } }), rig.sent({ facts: { id: 'five' } })]);
    const walk = async (list: Message[], name: string) => {
      await pause();
      for (const { facts } of list) {
        await pause();
        applicationWork(`${name} ${facts?.id}`);
      }
    };
    await Promise.all([walk(messages, 'a'), walk(others, 'b')]);
    for (const span of rig.spans('process orders')) {
      const id = span.attributes['messaging.message.id'];
      const name = ['four', 'five'].includes(String(id)) ? `b ${id}` : `a ${id}`;
      expect(rig.span(name).parentSpanContext?.spanId).toBe(span.spanContext().spanId);
    }
    expect(processed()).toHaveLength(5);
  });

  test('a loop within a loop restores the outer message', async () => {
    const inner = rig.received([rig.sent({ facts: { id: 'inner' } })]);
    for (const { facts } of messages.slice(0, 1)) {
      const outer = activeSpanId();
      for (const _ of inner) await pause();
      expect(activeSpanId()).toBe(outer);
      expect(facts?.id).toBe('one');
    }
    expect(processed().sort()).toEqual(['inner', 'one']);
  });

  test('work that a synchronous body began gets the span later, as long as the body was', async () => {
    const late: Promise<void>[] = [];
    const wait = () => new Promise((resolve) => setTimeout(resolve, 100));
    for (const _ of messages) late.push(wait().then(() => applicationWork()));
    expect(processed()).toEqual([]);
    await Promise.all(late);
    expect(processed()).toEqual(['one', 'two', 'three']);
    const [span] = rig.spans('process orders');
    expect(span?.duration[0]).toBe(0);
    expect(span?.duration[1]).toBeLessThan(90e6);
  });
});

describe('other ways to walk', () => {
  test.each<[string, (list: Message[]) => Iterable<unknown>]>([
    ['values()', (list) => list.values()],
    ['entries()', (list) => list.entries()],
    ['slice()', (list) => list.slice(0)],
    ['filter()', (list) => list.filter(() => true)],
    ['splice()', (list) => list.splice(0, 3)],
    ['concat()', (list) => list.concat()],
    ['toReversed()', (list) => list.toReversed()],
    ['toSorted()', (list) => list.toSorted()],
  ])('%s is followed', async (_, walk) => {
    for (const _ of walk(messages)) await pause();
    expect(processed()).toEqual(['one', 'two', 'three']);
  });

  test('entries() gives index and message', () => {
    expect([...messages.entries()]).toEqual([
      [0, messages[0]],
      [1, messages[1]],
      [2, messages[2]],
    ]);
  });

  test('map with an asynchronous callback gives each message its span, which ends with its promise', async () => {
    const ids = await Promise.all(
      messages.map(async ({ facts }) => {
        await pause();
        applicationWork(String(facts?.id));
        return facts?.id;
      }),
    );
    expect(ids).toEqual(['one', 'two', 'three']);
    for (const span of rig.spans('process orders')) {
      const child = rig.span(String(span.attributes['messaging.message.id']));
      expect(child.parentSpanContext?.spanId).toBe(span.spanContext().spanId);
    }
  });

  test('map marks the span of a message whose callback rejects, and rejects with the same error', async () => {
    const error = new RangeError('mine');
    const all = Promise.all(
      messages.map(async ({ facts }) => (facts?.id === 'two' ? Promise.reject(error) : facts?.id)),
    );
    await expect(all).rejects.toBe(error);
    await pause();
    expect(rig.text(['messaging.message.id'])).toContain(
      'process orders CONSUMER !RangeError {messaging.message.id=two}',
    );
  });

  test('forEach marks the span of a message whose callback throws, and throws the same error', () => {
    const error = new TypeError('mine');
    const walk = () =>
      messages.forEach(() => {
        throw error;
      });
    expect(walk).toThrow(error);
    expect(rig.span('process orders').attributes['error.type']).toBe('TypeError');
  });

  test('reduce runs its callback in the context of the message, not of the accumulator', async () => {
    await messages.reduce(async (before, { facts }) => {
      await before;
      applicationWork(String(facts?.id));
    }, Promise.resolve());
    for (const span of rig.spans('process orders')) {
      const child = rig.span(String(span.attributes['messaging.message.id']));
      expect(child.parentSpanContext?.spanId).toBe(span.spanContext().spanId);
    }
    expect(processed()).toEqual(['one', 'two', 'three']);
  });

  test('flatMap gives what it gives', () => {
    expect(messages.flatMap(({ facts }) => [facts?.id, 1])).toEqual(['one', 1, 'two', 1, 'three', 1]);
  });

  test('a concurrent Promise.all keeps messages apart', async () => {
    const seen = await Promise.all(
      messages.map(async () => {
        const before = activeSpanId();
        await pause();
        return [before, activeSpanId()];
      }),
    );
    for (const [before, after] of seen) expect(after).toBe(before);
    expect(new Set(seen.map(([id]) => id)).size).toBe(3);
  });

  test('a generator over the messages gives each of them its span', async () => {
    function* ids() {
      for (const { facts } of messages) yield facts?.id;
    }
    for (const id of ids()) {
      await pause();
      applicationWork(String(id));
    }
    for (const span of rig.spans('process orders')) {
      const child = rig.span(String(span.attributes['messaging.message.id']));
      expect(child.parentSpanContext?.spanId).toBe(span.spanContext().spanId);
    }
  });
});

describe('an array that is read makes no spans and looks like any other', () => {
  const plain = () => ['one', 'two', 'three'].map((id) => ({ id }));
  let list: { id: string }[];

  beforeEach(() => {
    list = plain();
    rig.received(list as Message[]);
  });

  afterEach(() => {
    expect(processed()).toEqual([]);
  });

  test.each<[string, (array: { id: string }[]) => unknown]>([
    ['spread', (array) => [...array]],
    ['Array.from', (array) => Array.from(array)],
    ['concat', (array) => ([] as unknown[]).concat(array)],
    ['JSON', (array) => JSON.stringify(array)],
    ['structuredClone', (array) => structuredClone(array)],
    ['Array.isArray', (array) => Array.isArray(array)],
    ['Object.keys', (array) => Object.keys(array)],
    ['Object.entries', (array) => Object.entries(array)],
    ['destructuring', ([first, ...rest]) => [first, rest]],
    ['the first only', ([first]) => first],
    ['index and length', (array) => array[array.length - 1]],
    ['a synchronous map', (array) => array.map(({ id }) => id)],
    ['find', (array) => array.find(({ id }) => id === 'two')],
    ['some', (array) => array.some(({ id }) => id === 'two')],
    ['join', (array) => array.join()],
    ['a copy by spreading into an object', (array) => ({ ...array })],
    ['String', (array) => String(array)],
    ['Object.prototype.toString', (array) => Object.prototype.toString.call(array)],
    ['reduce without a start', (array) => array.reduce((a, b) => ({ id: a.id + b.id }))],
    ['its own properties', (array) => Object.getOwnPropertyNames(array)],
    ['its constructor', (array) => array.constructor === Array],
    ['util.inspect', (array) => inspect(array)],
    ['methods that return a part', (array) => [array.slice(1), array.filter(Boolean), array.concat(array).length]],
    ['names of methods', (array) => [array.map.name, array.map.length, array.values.name, array.slice.name]],
    ['the iterator', (array) => Object.prototype.toString.call(array.values())],
    ['an iterator that iterates over itself', (array) => [...array.values()[Symbol.iterator]()]],
    ['Set', (array) => new Set(array).size],
    [
      'for…in',
      (array) => {
        const keys = [];
        for (const key in array) keys.push(key);
        return keys;
      },
    ],
  ])('%s', (_, read) => {
    expect(read(list)).toEqual(read(plain()));
  });

  test('it has a prototype of its own, which inherits from that of arrays', () => {
    const prototype = Object.getPrototypeOf(list);
    expect(Object.keys(prototype)).toEqual([]);
    expect(Object.getPrototypeOf(prototype)).toBe(Array.prototype);
    assert.deepEqual(list, plain());
  });

  test('arrays of others are spread as quickly as before', () => {
    const script = `
      const { followIteration } = require(${JSON.stringify(require.resolve('../build/iteration.js'))});
      const before = %ArrayIteratorProtector();
      const messages = [{}];
      followIteration(messages);
      for (const message of messages.slice()) [...messages];
      console.log(before, %ArrayIteratorProtector(), Object.getPrototypeOf(messages) !== Array.prototype);`;
    const output = execFileSync(process.execPath, ['--allow-natives-syntax', '-e', script], { encoding: 'utf8' });
    expect(output).toBe('true true true\n');
  });

  test('destructuring restores what was active', () => {
    const [first] = list;
    expect(first).toEqual({ id: 'one' });
    expect(trace.getActiveSpan()).toBeUndefined();
  });

  test('a callback that is no function meets the error of the language', () => {
    expect(() => list.map(undefined as never)).toThrow(new TypeError('undefined is not a function'));
  });

  test('callbacks get index, array and this', () => {
    const self = {};
    const seen: unknown[] = [];
    list.forEach(function (this: unknown, ...args) {
      seen.push([this, ...args.slice(1)]);
    }, self);
    expect(seen[2]).toEqual([self, 2, list]);
  });
});

describe('odd arrays', () => {
  test('a frozen array of messages is handed out as it is', () => {
    const frozen = Object.freeze([rig.sent()]) as Message[];
    rig.received(frozen);
    for (const _ of frozen) expect(activeSpanId()).toBeUndefined();
  });

  test('null among the messages is passed over', async () => {
    const odd = [rig.sent({ facts: { id: 'last' } }), null as unknown as Message];
    const operation = rig.telemetry.startReceive(rig.plan('receive', { isBatch: true }));
    operation?.endWithMessages(odd, reader, rig.plan('process'));
    for (const _ of odd) await pause();
    expect(processed()).toEqual(['last']);
  });

  test('an array that is delivered twice is walked once', async () => {
    rig.received(messages);
    for (const _ of messages) await pause();
    expect(processed()).toEqual(['one', 'two', 'three']);
  });

  test('messages sent on by a batch send are not taken for handled', () => {
    rig.telemetry
      .startBatchSend(rig.plan('send', { isBatch: true }), messages, writer, () => rig.plan('create'))
      ?.end();
    expect(processed()).toEqual([]);
  });

  test('with perMessageSpans off an array is left alone', async () => {
    await rig.tracing.stop();
    rig = new Rig({ perMessageSpans: false });
    const list = rig.received([rig.sent()]);
    expect(Object.getOwnPropertyNames(list)).toEqual(['0', 'length']);
    for (const _ of list) expect(activeSpanId()).toBeUndefined();
  });

  test('after disable() a loop over messages received before makes nothing active', async () => {
    rig.instrumentation.disable();
    for (const _ of messages) {
      await pause();
      expect(activeSpanId()).toBeUndefined();
    }
    expect(processed()).toEqual([]);
  });
});

describe('a message that is resolved', () => {
  /** Calls a handler of the batch as a client would. */
  const handle = (handler: (batch: BatchProcessOperation) => unknown) => {
    const [plan, own] = [rig.plan('process', { isBatch: true }), rig.plan('process')];
    const batch = rig.telemetry.startBatchProcess(plan, messages, reader, own) as BatchProcessOperation;
    return batch.handle(async () => handler(batch), undefined);
  };
  const spansOf = (ids: string[]) => expect(processed().filter((id) => ORDER.includes(id))).toEqual(ids);

  test('has a span in its own trace, from the end of the one before', async () => {
    await handle(async (batch) => {
      for (let i = 0; i < messages.length; i++) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        batch.resolve(messages[i] as Message, false);
      }
    });
    spansOf(['one', 'two', 'three']);
    const own = rig
      .spans('process orders')
      .filter(({ attributes }) => attributes['messaging.message.id'] !== undefined);
    for (const [i, span] of own.entries()) {
      expect(span.parentSpanContext?.spanId).toBe(rig.spans('send orders')[i]?.spanContext().spanId);
      const before = own[i - 1];
      if (before === undefined) continue;
      expect(milliseconds(span.startTime)).toBeGreaterThan(milliseconds(before.startTime));
      // A number of milliseconds since 1970 is exact to a quarter of a microsecond.
      expect(milliseconds(span.startTime)).toBeLessThanOrEqual(milliseconds(before.endTime) + 0.001);
    }
  });

  test('has none where several are resolved at once, and the next one is measured from there', async () => {
    await handle((batch) => {
      batch.resolve(messages[1] as Message, true);
      batch.resolve(messages[2] as Message, false);
    });
    spansOf(['three']);
  });

  test('has no second one after a walk, nor at a second call', async () => {
    await handle(async (batch) => {
      for (const message of messages) {
        await pause();
        if (message === messages[0]) continue;
        batch.resolve(message, false);
        batch.resolve(message, false);
      }
      batch.resolve(messages[0] as Message, false);
    });
    spansOf(['one', 'two', 'three']);
  });

  test('has a span also where the body of the walk is synchronous', async () => {
    await handle((batch) => {
      for (const message of messages) batch.resolve(message, false);
    });
    spansOf(['one', 'two', 'three']);
  });

  test('has one after a walk that merely read it', async () => {
    await handle((batch) => {
      for (const message of [...messages]) batch.resolve(message, false);
    });
    spansOf(['one', 'two', 'three']);
  });

  test('has none after the handler, or if it is of another batch, or if no spans of messages are wanted', async () => {
    const strangers = rig.received([rig.sent({ facts: { id: 'four' } })]);
    let kept: BatchProcessOperation | undefined;
    await handle((batch) => {
      kept = batch;
      batch.resolve(strangers[0] as Message, false);
    });
    kept?.resolve(messages[0] as Message, false);
    rig.instrumentation.setConfig({ perMessageSpans: false });
    await handle((batch) => batch.resolve(messages[0] as Message, false));
    spansOf([]);
  });
});
