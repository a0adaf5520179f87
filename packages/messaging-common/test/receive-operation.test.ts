/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { inspect } from 'node:util';
import { context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { deliveryOf } from '../src';
import { applicationWork, type Message, pause, Rig, reader } from './support';

let rig: Rig;

beforeEach(() => {
  rig = new Rig();
});

afterEach(async () => {
  expect(rig.tracing.openSpans).toBe(0);
  await rig.tracing.stop();
});

async function use(...args: ConstructorParameters<typeof Rig>): Promise<void> {
  await rig.tracing.stop();
  rig = new Rig(...args);
}

function start(isBatch = true) {
  const operation = rig.telemetry.startReceive(rig.plan('receive', { isBatch }));
  if (operation === undefined) throw new Error('not started');
  return operation;
}

const milliseconds = ([seconds, nanoseconds]: [number, number]) => seconds * 1000 + nanoseconds / 1e6;

describe('a poll that brings messages', () => {
  test('links to all of them, with what belongs to each', () => {
    rig.received([rig.sent({ facts: { id: 'a' } }), {}, rig.sent({ facts: { id: 'b' } })]);
    const span = rig.span('receive orders');
    expect(span.kind).toBe(SpanKind.CLIENT);
    expect(span.attributes['messaging.batch.message_count']).toBe(3);
    expect(span.links.map(({ attributes }) => attributes)).toEqual([
      { 'messaging.message.id': 'a' },
      { 'messaging.message.id': 'b' },
    ]);
    expect(span.parentSpanContext).toBeUndefined();
  });

  test('has the time of the call', async () => {
    const operation = start();
    await new Promise((resolve) => setTimeout(resolve, 15));
    operation.endWithMessages([{}], reader, rig.plan('process'));
    const { duration } = rig.span('receive orders');
    expect(milliseconds(duration)).toBeGreaterThan(12);
    expect(milliseconds(duration)).toBeLessThan(500);
  });

  test('is a child of what is active', async () => {
    await rig.tracing.inSpan('loop', () => rig.received([{}]));
    expect(rig.text()).toBe('loop INTERNAL\n└─ receive orders CLIENT');
  });

  test('is no child of a message whose handling is over', async () => {
    const list = rig.received([rig.sent()]);
    let later = Promise.resolve();
    for (const _ of list) {
      applicationWork();
      later = pause().then(() => void rig.received([{}]));
    }
    await later;
    expect(rig.spans('receive orders')[1]?.parentSpanContext).toBeUndefined();
  });

  test('counts them once, and the call once', async () => {
    rig.received([{}, {}]);
    expect(await rig.counts('messaging.client.consumed.messages')).toEqual({ 'memory receive orders': 2 });
    const [point] = Object.values(await rig.counts('messaging.client.operation.duration')) as { count: number }[];
    expect(point?.count).toBe(1);
  });

  test('gives the deliveries', () => {
    const sent = rig.sent();
    const [first, second] = start().endWithMessages([sent, {}], reader, rig.plan('process'));
    expect(first?.creation?.spanId).toBe(rig.span('send orders').spanContext().spanId);
    expect(second?.creation).toBeUndefined();
  });

  test('takes attributes of the answer', () => {
    start().endWithMessages([{}], reader, rig.plan('process'), { 'aws.request_id': 'r' });
    expect(rig.span('receive orders').attributes['aws.request_id']).toBe('r');
  });

  test('ends once', () => {
    const operation = start();
    operation.endWithMessages([{}], reader, rig.plan('process'));
    expect(operation.endWithMessages([{}], reader, rig.plan('process'))).toEqual([]);
    operation.end();
    operation.fail(new Error('late'));
    expect(rig.spans('receive orders')).toHaveLength(1);
  });

  test('whose span cannot be started still hands out its messages', async () => {
    await use(
      {},
      {
        sampler: {
          shouldSample: () => {
            throw new Error('ours');
          },
        },
      },
    );
    expect(start().endWithMessages([{}], reader, rig.plan('process'))).toHaveLength(1);
    expect(rig.reports).toEqual(['could not start a receive span']);
  });
});

describe('a call that gets one message', () => {
  test('describes it on the span, without a count', () => {
    start(false).endWithMessages([rig.sent({ facts: { id: 'a' } })], reader, rig.plan('process'));
    const span = rig.span('receive orders');
    expect(span.attributes['messaging.message.id']).toBe('a');
    expect(span.attributes).not.toHaveProperty('messaging.batch.message_count');
    expect(span.links).toHaveLength(1);
  });

  test('leaves the array alone', () => {
    const list: Message[] = [{}];
    start(false).endWithMessages(list, reader, rig.plan('process'));
    expect(Object.getOwnPropertyNames(list)).toEqual(['0', 'length']);
  });
});

describe('an empty poll', () => {
  test('makes no span, and is measured', async () => {
    start().end();
    expect(rig.text()).toBe('');
    expect(Object.keys(await rig.counts('messaging.client.operation.duration'))).toEqual([
      'memory receive receive orders',
    ]);
    expect(await rig.counts('messaging.client.consumed.messages')).toEqual({});
  });

  test('makes a span where asked', async () => {
    await use({ emptyReceiveSpans: true });
    start().end();
    expect(rig.span('receive orders').attributes['messaging.batch.message_count']).toBe(0);
  });

  test('that failed makes a span in any case', async () => {
    const operation = start();
    await new Promise((resolve) => setTimeout(resolve, 15));
    operation.fail(new RangeError('mine'));
    const span = rig.span('receive orders');
    expect(span.attributes['error.type']).toBe('RangeError');
    expect(milliseconds(span.duration)).toBeGreaterThan(12);
    const [event] = span.events;
    expect(event && milliseconds(event.time) >= milliseconds(span.startTime)).toBe(true);
  });
});

test('where tracing is suppressed there is no span, and messages are counted', async () => {
  context.with(suppressTracing(ROOT_CONTEXT), () => {
    for (const _ of rig.received([{}])) expect(trace.getActiveSpan()).toBeUndefined();
  });
  expect(rig.text()).toBe('');
  expect(await rig.counts('messaging.client.consumed.messages')).toEqual({ 'memory receive orders': 1 });
});

test('the answer may tell more of the destination', () => {
  const operation = start();
  operation.refine(rig.plan('receive', { isBatch: true, destination: { name: 'audit' } }));
  operation.endWithMessages([{}], reader, rig.plan('process'));
  expect(rig.text()).toBe('receive audit CLIENT');
});

describe('the delivery of a message', () => {
  test('is found by the very message, frozen or not, and by no copy of it', () => {
    const list = [{}, Object.freeze({})];
    const delivered = start().endWithMessages(list, reader, rig.plan('process'));
    expect(list.map(deliveryOf)).toEqual(delivered);
    expect(deliveryOf({ ...list[0] })).toBeUndefined();
    expect(deliveryOf(structuredClone(list[0]))).toBeUndefined();
    expect([null, undefined, 'x', 1].map(deliveryOf)).toEqual([undefined, undefined, undefined, undefined]);
  });

  test('is the last one of a message that was delivered twice', () => {
    const list = [{}];
    start().endWithMessages(list, reader, rig.plan('process'));
    const [second] = start().endWithMessages(list, reader, rig.plan('process'));
    expect(deliveryOf(list[0])).toBe(second);
  });

  test('cannot be seen on the message', () => {
    const [message] = rig.received([{ headers: {} }]);
    expect(Reflect.ownKeys(message as object)).toEqual(['headers']);
    expect(inspect(message, { showHidden: true })).toBe('{ headers: {} }');
  });
});

test('what all messages of an answer have in common is on their own spans, and on no link', async () => {
  const list = [
    rig.sent({ facts: { id: 'one' } }),
    rig.sent({ facts: { id: 'two' } }),
    { facts: { id: 'no context' } },
  ];
  start().endWithMessages(list, reader, rig.plan('process'), undefined, { 'aws.request_id': 'answer' });
  for (const _ of list) await pause();
  expect(rig.spans('process orders').map(({ attributes }) => attributes)).toMatchObject([
    { 'messaging.message.id': 'one', 'aws.request_id': 'answer' },
    { 'messaging.message.id': 'two', 'aws.request_id': 'answer' },
    { 'messaging.message.id': 'no context', 'aws.request_id': 'answer' },
  ]);
  expect(rig.span('receive orders').links.map(({ attributes }) => attributes)).toEqual([
    { 'messaging.message.id': 'one' },
    { 'messaging.message.id': 'two' },
  ]);
});
