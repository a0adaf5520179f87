/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { deepFreeze } from '@otel-messaging/test-utils';
import { DeliveredMessages, OutgoingMessage, outgoingMessages, settledMessages } from '../src/message';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const NEW_TRACEPARENT = '00-11111111111111111111111111111111-2222222222222222-01';
const reader = new DeliveredMessages('work');

describe('a delivered message', () => {
  test.each([
    ['text', { traceparent: TRACEPARENT }],
    ['bytes', { traceparent: Buffer.from(TRACEPARENT) }],
    ['another letter case', { Traceparent: TRACEPARENT }],
    ['bytes in another letter case', { TRACEPARENT: Buffer.from(TRACEPARENT) }],
    ['the last of several', { TraceParent: 'old', Traceparent: TRACEPARENT }],
    ['beside one of no text', { Traceparent: TRACEPARENT, traceparent: { nested: true } }],
    ["beside other vendors' headers", { 'x-datadog-trace-id': '1', newrelic: 'x', traceparent: TRACEPARENT }],
  ])('gives its context: %s', (_, headers) => {
    expect(reader.get({ properties: { headers } }, 'traceparent')).toBe(TRACEPARENT);
  });

  test.each([
    ['no properties', {}],
    ['no headers', { properties: {} }],
    ['headers that are no table', { properties: { headers: 'traceparent' } }],
    ['a table as value', { properties: { headers: { traceparent: {} } } }],
    ['null as value', { properties: { headers: { traceparent: null } } }],
  ])('has none: %s', (_, message) => {
    expect(reader.get(message, 'traceparent')).toBeUndefined();
    expect(() => reader.keys(message)).not.toThrow();
    expect(() => reader.describe(message)).not.toThrow();
    expect(reader.sentAtMs(message)).toBeUndefined();
  });

  test('is described by tag, ids, size and attempts', () => {
    const message = {
      fields: { deliveryTag: 7, redelivered: true },
      properties: { messageId: 'm-1', correlationId: 'c-1', headers: {} },
      content: Buffer.from('four'),
    };
    expect(reader.describe(message)).toEqual({
      id: 'm-1',
      conversationId: 'c-1',
      bodySize: 4,
      retryCount: 1,
      attributes: { 'rabbitmq.message.delivery_tag': 7 },
    });
  });

  test.each([
    ['seconds, as the protocol has it', { timestamp: 1_795_000_000 }, 1_795_000_000_000],
    ['milliseconds, as Date.now() gives them', { timestamp: 1_795_000_000_123 }, 1_795_000_000_123],
    [
      'the milliseconds of the timestamp plugin',
      { timestamp: 1_795_000_000, headers: { timestamp_in_ms: 1_795_000_000_456 } },
      1_795_000_000_456,
    ],
    ['text', { timestamp: 'yesterday' }, undefined],
  ])('was sent at: %s', (_, properties, expected) => {
    expect(reader.sentAtMs({ properties })).toBe(expected);
  });
});

describe('a message about to be published', () => {
  const outgoing = (fields: Record<string, string>) => ({
    fields,
    stale: ['traceparent', 'tracestate', ...Object.keys(fields)],
    spanContext: { traceId: '', spanId: '', traceFlags: 1 },
  });

  /** The table as amqplib makes it, and what of it would be sent. */
  function sent(options: Record<string, unknown> | undefined, fields: Record<string, string>, frameMax = 131_072) {
    const message = outgoingMessages.write(new OutgoingMessage(Buffer.alloc(0), options, frameMax), outgoing(fields));
    const table = Object.create((options?.['headers'] as object | undefined) ?? null);
    message?.addTo(table);
    const entries: [string, unknown][] = [];
    for (const name in table) if (table[name] !== undefined) entries.push([name, table[name]]);
    return Object.fromEntries(entries);
  }

  test.each([
    ['no options', undefined, {}],
    ['no headers', { persistent: true }, {}],
    ['headers of null', { headers: null }, {}],
    ['headers', { headers: { tenant: 'a' } }, { tenant: 'a' }],
    ['inherited headers', { headers: Object.create({ tenant: 'a' }) }, { tenant: 'a' }],
    ['a stale context', { headers: { traceparent: TRACEPARENT, tracestate: 'a=1' } }, {}],
    ['a stale context in another letter case', { headers: { TraceParent: TRACEPARENT, tenant: 'a' } }, { tenant: 'a' }],
  ])('carries the context besides %s, which stay as they are', (_, options, others) => {
    const frozen = deepFreeze(options);
    expect(sent(frozen, { traceparent: NEW_TRACEPARENT })).toEqual({ ...others, traceparent: NEW_TRACEPARENT });
  });

  test('sheds baggage, then trace state, where there is no room', () => {
    const fields = {
      traceparent: NEW_TRACEPARENT,
      tracestate: `a=${'s'.repeat(200)}`,
      baggage: `b=${'b'.repeat(8000)}`,
    };
    const withRoom = (bytes: number) => ({ headers: { own: 'x'.repeat(65_532 - 9 - bytes) } });
    expect(Object.keys(sent(withRoom(9000), fields))).toEqual(['traceparent', 'tracestate', 'baggage', 'own']);
    expect(Object.keys(sent(withRoom(500), fields))).toEqual(['traceparent', 'tracestate', 'own']);
    expect(Object.keys(sent(withRoom(100), fields))).toEqual(['traceparent', 'own']);
    expect(Object.keys(sent(withRoom(71), fields))).toEqual(['own']);
  });

  test.each([
    ['as long', 131_072, ['traceparent', 'baggage', 'own']],
    ['too short for baggage', 8192, ['traceparent', 'own']],
    ['too short for anything', 4096, ['own']],
  ])('goes out on another connection with what its frames have room for: %s', (_, frameMax, expected) => {
    const options = { headers: { own: 'x'.repeat(4050) } };
    const fields = { traceparent: NEW_TRACEPARENT, baggage: `b=${'b'.repeat(8000)}` };
    const queued = outgoingMessages.write(new OutgoingMessage(Buffer.alloc(0), options, 131_072), outgoing(fields));
    const table = Object.create(options.headers) as Record<string, unknown>;
    queued?.within(frameMax).addTo(table);
    const names: string[] = [];
    for (const name in table) names.push(name);
    expect(names).toEqual(expected);
  });

  test.each([
    ['72 bytes of room: enough for a traceparent', 72, true],
    ['71 bytes of room', 71, false],
  ])('%s', (_, bytes, expected) => {
    const options = { headers: { own: 'x'.repeat(65_532 - 9 - bytes) } };
    expect(outgoingMessages.canCarry?.(new OutgoingMessage(Buffer.alloc(0), options, 131_072))).toBe(expected);
  });

  test.each([['text'], [5], [true]])('headers of %p are left to amqplib', (headers) => {
    expect(outgoingMessages.canCarry?.(new OutgoingMessage(Buffer.alloc(0), { headers }, 131_072))).toBe(false);
  });
});

test('a settled message may be no more than its delivery tag', () => {
  expect(settledMessages.describe({ fields: { deliveryTag: 3 } }).attributes).toEqual({
    'rabbitmq.message.delivery_tag': 3,
  });
  expect(settledMessages.describe({}).attributes).toBeUndefined();
});
