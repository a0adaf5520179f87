/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { Readable } from 'node:stream';
import { context, propagation, trace } from '@opentelemetry/api';
import { followAsyncIteration } from '../src/async-iteration';
import { activeSpanId, applicationWork, type Message, pause, Rig, reader } from './support';

let rig: Rig;
let messages: Message[];

beforeEach(() => {
  rig = new Rig();
  messages = ['one', 'two', 'three'].map((id) => rig.sent({ facts: { id } }));
});

afterEach(async () => {
  expect(rig.reports).toEqual([]);
  expect(rig.tracing.openSpans).toBe(0);
  await rig.tracing.stop();
});

/** A stream of the messages, as a client gives it to an application. */
function stream(of: readonly Message[] = messages): AsyncIterableIterator<Message> {
  const plan = rig.plan('process');
  const begin = (message: Message) =>
    rig.telemetry.isOn() ? rig.telemetry.startProcess(plan, message, reader) : undefined;
  return followAsyncIteration(Readable.from(of)[Symbol.asyncIterator]() as AsyncIterator<Message>, begin);
}

const processed = () => rig.spans('process orders').map((span) => span.attributes['messaging.message.id']);

test('each body runs in the context of its message, also after it has awaited', async () => {
  for await (const _ of stream()) {
    applicationWork('at once');
    await pause();
    applicationWork('later');
  }
  const one = (id: string) => [
    `send orders PRODUCER {messaging.message.id=${id}}`,
    `└─ process orders CONSUMER {messaging.message.id=${id}}  → send orders`,
    '   ├─ at once INTERNAL',
    '   └─ later INTERNAL',
  ];
  expect(rig.text(['messaging.message.id'])).toBe([...one('one'), ...one('two'), ...one('three')].join('\n'));
});

test('a span is over at the next message', async () => {
  let before = 0;
  for await (const _ of stream()) {
    expect(rig.tracing.openSpans).toBe(1);
    expect(processed()).toHaveLength(before++);
  }
  expect(processed()).toEqual(['one', 'two', 'three']);
});

test.each(['break', 'return', 'throw'])('a body that is left by %s ends its span and the stream', async (way) => {
  const loop = async () => {
    for await (const _ of stream()) {
      await pause();
      if (way === 'break') break;
      if (way === 'return') return;
      throw new Error('the body failed');
    }
  };
  if (way === 'throw') await expect(loop()).rejects.toThrow('the body failed');
  else await loop();
  expect(processed()).toEqual(['one']);
});

test('after a loop what was active before is active again', async () => {
  await rig.tracing.inSpan('app', async () => {
    const before = activeSpanId();
    for await (const _ of stream()) expect(activeSpanId()).not.toBe(before);
    expect(activeSpanId()).toBe(before);
    for await (const _ of stream()) break;
    expect(activeSpanId()).toBe(before);
  });
});

test('the caller of an asynchronous function that iterates is in its own context once the first body is over', async () => {
  const done = (async () => {
    for await (const _ of stream()) await pause();
  })();
  expect(activeSpanId()).toBeUndefined();
  await done;
  expect(activeSpanId()).toBeUndefined();
  applicationWork('afterwards');
  expect(rig.span('afterwards').parentSpanContext).toBeUndefined();
});

test('work that outlives its body stays in the trace of its message', async () => {
  const late: Promise<void>[] = [];
  for await (const { facts } of stream()) {
    if (facts?.id === 'two') late.push(pause().then(() => applicationWork('late')));
  }
  await Promise.all(late);
  const two = rig.spans('process orders').find((span) => span.attributes['messaging.message.id'] === 'two');
  expect(rig.span('late').parentSpanContext?.spanId).toBe(two?.spanContext().spanId);
});

test('baggage arrives in the body', async () => {
  const baggage = propagation.createBaggage({ tenant: { value: 'a' } });
  const message = rig.sent({}, propagation.setBaggage(context.active(), baggage));
  const seen: unknown[] = [];
  for await (const _ of stream([message])) seen.push(propagation.getActiveBaggage()?.getEntry('tenant')?.value);
  expect(seen).toEqual(['a']);
  expect(propagation.getActiveBaggage()).toBeUndefined();
});

test('a context that the body sets something in is the message of that body', async () => {
  for await (const _ of stream()) {
    const own = trace.setSpan(context.active(), trace.getTracer('application').startSpan('own'));
    context.with(own, () => applicationWork('inside'));
    trace.getSpan(own)?.end();
  }
  const traces = rig.spans('process orders').map((span) => span.spanContext().traceId);
  expect(new Set(traces).size).toBeGreaterThan(1);
  expect(rig.spans('inside').map((span) => span.spanContext().traceId)).toEqual(traces);
});

test('what the stream fails with is what the application gets', async () => {
  const failure = new Error('the connection is gone');
  const broken: AsyncIterator<Message> = { next: () => Promise.reject(failure) };
  const iterator = followAsyncIteration(broken, () => undefined);
  await expect(iterator.next()).rejects.toBe(failure);
  await expect(iterator.return?.()).resolves.toEqual({ done: true, value: undefined });
  await expect(iterator.throw?.(failure)).rejects.toBe(failure);
});

test('an error that is thrown into the iteration is on the span of the message', async () => {
  const iterator = stream();
  await iterator.next();
  await iterator.throw?.(new TypeError('from outside')).catch(() => {});
  expect(rig.span('process orders').attributes['error.type']).toBe('TypeError');
});

test('switched off in the middle of a loop: no more spans, and no context of a message', async () => {
  for await (const { facts } of stream()) {
    if (facts?.id === 'two') expect(activeSpanId()).toBeUndefined();
    rig.instrumentation.disable();
  }
  expect(processed()).toEqual(['one']);
});

test('many turns keep nothing of those before', async () => {
  const depth = (value: object): number => 1 + Math.max(0, ...Object.values(value).map(inner));
  const inner = (value: unknown): number =>
    typeof value === 'object' && value !== null && 'getValue' in value ? depth(value) : 0;
  const depths = new Set<number>();
  const many = Array.from({ length: 50 }, () => rig.sent());
  for await (const _ of stream(many)) {
    await pause();
    depths.add(depth(context.active()));
  }
  expect(depths.size).toBe(1);
});

test('it is an iterator like any other', () => {
  const iterator = stream([]);
  expect(iterator[Symbol.asyncIterator]()).toBe(iterator);
});
