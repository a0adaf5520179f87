/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { SpanKind } from '@opentelemetry/api';
import { applicationSpan, deepFreeze } from '@otel-messaging/test-utils';
import type { MessageWriter, Outcome } from '../src/operation';
import { type Message, Rig, writer } from './support';

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

const answering: MessageWriter<Message> = { ...writer, answersPerMessage: true };

/** Sends the messages; the copies. */
function send(messages: readonly Message[], outcome?: Outcome, format = writer): readonly Message[] {
  const plan = rig.plan('send', { isBatch: true });
  const operation = rig.telemetry.startBatchSend(plan, messages, format, () => rig.plan('create'));
  if (operation === undefined) throw new Error('not started');
  operation.end(outcome);
  return operation.messages;
}

const many = (count: number): Message[] => Array.from({ length: count }, (_, i) => ({ facts: { id: `m${i}` } }));
const custom = (): Message => {
  const { traceId, spanId } = applicationSpan('outbox');
  return { headers: { traceparent: `00-${traceId}-${spanId}-01` } };
};
const linkAttributes = () => rig.span('send orders').links.map(({ attributes }) => attributes);

test('a batch of two gets two create spans and one send that links to both', async () => {
  await rig.tracing.inSpan('app', () => send(many(2)));
  expect(rig.text()).toBe(
    [
      'app INTERNAL',
      '├─ create orders PRODUCER',
      '├─ create orders PRODUCER',
      '└─ send orders CLIENT  → create orders, create orders',
    ].join('\n'),
  );
});

test('each message carries its own create span', () => {
  const copies = send(many(3));
  const ids = rig.spans('create orders').map((span) => span.spanContext().spanId);
  expect(copies.map(({ headers }) => headers?.['traceparent']?.split('-')[2]).sort()).toEqual(ids.sort());
});

test('what belongs to one message is on its create span and its link', () => {
  send(many(2));
  expect(rig.spans('create orders').map(({ attributes }) => attributes['messaging.message.id'])).toEqual(['m0', 'm1']);
  expect(linkAttributes()).toEqual([{ 'messaging.message.id': 'm0' }, { 'messaging.message.id': 'm1' }]);
  expect(rig.span('send orders').attributes).not.toHaveProperty('messaging.message.id');
});

test('a batch of one is its own creation context, and has the message’s attributes', () => {
  const [copy] = send(many(1));
  const span = rig.span('send orders');
  expect(rig.text()).toBe('send orders PRODUCER');
  expect(copy?.headers?.['traceparent']).toContain(span.spanContext().spanId);
  expect(span.attributes).toMatchObject({ 'messaging.batch.message_count': 1, 'messaging.message.id': 'm0' });
});

test('an empty batch is counted as such and is no failure', async () => {
  send([], { messages: [] });
  expect(rig.text(['messaging.batch.message_count'])).toBe('send orders CLIENT {messaging.batch.message_count=0}');
  expect(await rig.counts('messaging.client.sent.messages')).toEqual({});
});

test('the application’s messages stay as they are', () => {
  const messages = deepFreeze(many(2));
  const copies = send(messages);
  expect(messages).toEqual(many(2));
  expect(copies[0]).not.toBe(messages[0]);
});

test('one object sent twice in a batch gets two contexts', () => {
  const message = {};
  const [first, second] = send([message, message]);
  expect(first?.headers).not.toEqual(second?.headers);
});

describe('128 messages', () => {
  test('get create spans', () => {
    send(many(128));
    expect(rig.spans('create orders')).toHaveLength(128);
    expect(rig.span('send orders').links).toHaveLength(128);
  });

  test('and one more get the context of the send span', () => {
    const copies = send(many(129));
    expect(rig.spans('create orders')).toHaveLength(0);
    expect(new Set(copies.map(({ headers }) => headers?.['traceparent'])).size).toBe(1);
    expect(rig.span('send orders').kind).toBe(SpanKind.PRODUCER);
  });

  test('is a limit that can be set', async () => {
    await use({ maxCreateSpansPerBatch: 2 });
    send(many(3));
    expect(rig.text()).toBe('send orders PRODUCER');
  });
});

test('without create spans all messages carry the send span', async () => {
  await use({ batchCreateSpans: false });
  const copies = send(many(2));
  const { spanId } = rig.span('send orders').spanContext();
  expect(copies.map(({ headers }) => headers?.['traceparent']?.split('-')[2])).toEqual([spanId, spanId]);
});

describe('messages with a context of the application’s', () => {
  test('keep and link it, beside those that get one', () => {
    const own = custom();
    const copies = send([{}, own]);
    expect(copies[1]).toBe(own);
    expect(rig.text()).toBe(
      ['outbox INTERNAL', 'create orders PRODUCER', 'send orders CLIENT  → create orders, outbox'].join('\n'),
    );
  });

  test('only: the send is a client', async () => {
    await use({ batchCreateSpans: false });
    send([custom(), custom()]);
    expect(rig.span('send orders').kind).toBe(SpanKind.CLIENT);
    expect(rig.span('send orders').links).toHaveLength(2);
  });

  test('mixed without create spans: the send is a producer', async () => {
    await use({ batchCreateSpans: false });
    const [, copy] = send([custom(), {}]);
    expect(copy?.headers).toHaveProperty('traceparent');
    expect(rig.span('send orders').kind).toBe(SpanKind.PRODUCER);
    expect(rig.span('send orders').links).toHaveLength(1);
  });
});

test('messages without room get no create span', () => {
  const full: Message = {};
  const copies = send([full, {}], undefined, { ...writer, canCarry: (message) => message !== full });
  expect(copies[0]).toBe(full);
  expect(rig.text()).toBe('create orders PRODUCER\nsend orders CLIENT  → create orders');
});

describe('an answer that speaks of single messages', () => {
  const error = (code: string) => Object.assign(new Error(code), { name: code });

  test('puts what it says on the links', () => {
    send(
      many(2),
      { messages: [{ attributes: { 'messaging.message.id': 'id-0' } }, { error: error('Throttled') }] },
      answering,
    );
    expect(linkAttributes()).toEqual([
      { 'messaging.message.id': 'id-0' },
      { 'messaging.message.id': 'm1', 'error.type': 'Throttled' },
    ]);
  });

  test('of one message is said of no other, also where nothing or the same is known of them', () => {
    const facts = deepFreeze({ attributes: { 'kafka.message.key': 'k' } });
    const messages = [{}, {}, { facts }, { facts }];
    send(
      messages,
      { messages: [{ error: error('Gone') }, {}, { attributes: { 'messaging.message.id': 'x' } }, {}] },
      answering,
    );
    expect(linkAttributes()).toEqual([
      { 'error.type': 'Gone' },
      undefined,
      { 'kafka.message.key': 'k', 'messaging.message.id': 'x' },
      { 'kafka.message.key': 'k' },
    ]);
    expect(rig.spans('create orders').some(({ attributes }) => 'error.type' in attributes)).toBe(false);
  });

  test('that some failed leaves the span without an error, and counts them apart', async () => {
    send(many(3), { messages: [undefined, { error: error('Throttled') }, { error: error('Gone') }] }, answering);
    expect(rig.span('send orders').status.code).toBe(0);
    expect(await rig.counts('messaging.client.sent.messages')).toEqual({
      'memory send orders': 1,
      'memory send orders Throttled': 1,
      'memory send orders Gone': 1,
    });
  });

  test('that all failed with one code is an error of that code', () => {
    send(many(2), { messages: [{ error: error('Throttled') }, { error: error('Throttled') }] }, answering);
    expect(rig.span('send orders').attributes['error.type']).toBe('Throttled');
  });

  test('that all failed with several codes is an error of no type in particular', () => {
    send(many(2), { messages: [{ error: error('Throttled') }, { error: error('Gone') }] }, answering);
    expect(rig.span('send orders').attributes['error.type']).toBe('_OTHER');
    expect(rig.span('send orders').status.message).toBe('all messages of the batch failed');
  });

  test('that the first of two failed, and says nothing of the other, is no failure of all', () => {
    send(many(2), { messages: [{ error: error('Throttled') }] }, answering);
    expect(rig.span('send orders').status.code).toBe(0);
  });

  test('of a batch of one is on the span', () => {
    send(many(1), { messages: [{ attributes: { 'messaging.message.id': 'id-0' } }] }, answering);
    expect(rig.span('send orders').attributes['messaging.message.id']).toBe('id-0');
  });

  test('links all messages also if there was no answer', async () => {
    send(many(2), { error: error('Throttled') }, answering);
    expect(rig.text()).toContain('send orders CLIENT !Throttled  → create orders, create orders');
    expect(await rig.counts('messaging.client.sent.messages')).toEqual({ 'memory send orders Throttled': 2 });
  });

  test('and request attributes go on the span', () => {
    send(many(2), { attributes: { 'aws.request_id': 'r' }, messages: [] }, answering);
    expect(rig.span('send orders').attributes['aws.request_id']).toBe('r');
  });
});

test('a failed call fails all its messages', async () => {
  send(many(3), { error: new TypeError('x') });
  expect(await rig.counts('messaging.client.sent.messages')).toEqual({ 'memory send orders TypeError': 3 });
});

test('create spans are never counted as sent', async () => {
  send(many(3));
  expect(await rig.counts('messaging.client.sent.messages')).toEqual({ 'memory send orders': 3 });
  expect(Object.keys(await rig.counts('messaging.client.operation.duration'))).toEqual(['memory send send orders']);
});

test('exported links have context and attributes only', () => {
  send(many(2));
  const keys = rig.span('send orders').links.map((link) => Object.keys(link).sort());
  expect(keys).toEqual(Array(2).fill(['attributes', 'context']));
});

test('a plan that cannot be made leaves no span open', () => {
  const fails = () => {
    throw new Error('ours');
  };
  const plan = rig.plan('send', { isBatch: true });
  expect(rig.telemetry.startBatchSend(plan, many(2), writer, fails)).toBeUndefined();
});

test('a sampler that fails at the last moment leaves no span open', async () => {
  let calls = 0;
  const shouldSample = () => {
    if (++calls === 3) throw new Error('ours');
    return { decision: 2 };
  };
  await use({}, { sampler: { shouldSample } });
  const plan = rig.plan('send', { isBatch: true });
  expect(rig.telemetry.startBatchSend(plan, many(2), writer, () => rig.plan('create'))).toBeUndefined();
});
