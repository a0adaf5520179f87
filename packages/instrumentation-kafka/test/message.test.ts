/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { deepFreeze } from '@otel-messaging/test-utils';
import { DeliveredFormat, KafkaFormat, type KafkaMessage, partitionOf, safeInteger, TopicFormat } from '../src/message';

const OLD = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const NEW = '00-1af7651916cd43dd8448eb211c80319c-c7ad6b7169203331-03';
const spanContext = { traceId: '1af7651916cd43dd8448eb211c80319c', spanId: 'c7ad6b7169203331', traceFlags: 1 };
const outgoing = { fields: { traceparent: NEW }, stale: ['traceparent', 'tracestate'], spanContext };
const format = new KafkaFormat({ captureMessageKey: false, captureBodySize: false });
const curious = new KafkaFormat({ captureMessageKey: true, captureBodySize: true });

describe('a header is read', () => {
  const rows: [string, unknown, string | undefined][] = [
    ['from text', OLD, OLD],
    ['from bytes', Buffer.from(OLD), OLD],
    ['from several as bytes: the last', [Buffer.from(OLD), Buffer.from(NEW)], NEW],
    ['from several as text: the last', [OLD, NEW], NEW],
    ['from several: the last that is valid', [Buffer.from(OLD), Buffer.from('garbage'), Buffer.from('')], OLD],
    ['from several: none is valid', [Buffer.from('garbage'), null, 4, {}, [OLD]], undefined],
    ['from none', [], undefined],
    ['from null', null, undefined],
    ['from a number', 4711, undefined],
    ['from an object', { toString: () => OLD }, undefined],
  ];
  test.each(rows)('%s', (_, value, expected) => {
    expect(format.get({ headers: { traceparent: value } } as KafkaMessage, 'traceparent')).toBe(expected);
  });

  test('in any letter case, the exact name first', () => {
    expect(format.get({ headers: { TraceParent: Buffer.from(OLD) } }, 'traceparent')).toBe(OLD);
    expect(format.get({ headers: { Traceparent: NEW, traceparent: OLD } }, 'traceparent')).toBe(OLD);
    expect(format.get({ headers: { Traceparent: OLD, TRACEPARENT: NEW } }, 'traceparent')).toBe(NEW);
    expect(format.get({ headers: { 'x-b3-traceid': 'abc' } }, 'X-B3-TraceId')).toBe('abc');
  });

  test('other names of the same length are not it', () => {
    expect(format.get({ headers: { 'x-tenant-id': 'a', toString: 'b' } }, 'traceparent')).toBeUndefined();
  });

  test.each([undefined, null, 'text', 7])('%p in the place of headers has none', (headers) => {
    expect(format.get({ headers } as unknown as KafkaMessage, 'traceparent')).toBeUndefined();
    expect(format.keys({ headers } as unknown as KafkaMessage)).toEqual([]);
  });

  test('of several values that are not contexts the last that is not empty', () => {
    expect(format.get({ headers: { baggage: [Buffer.from('a=1'), Buffer.from('a=2'), ''] } }, 'baggage')).toBe('a=2');
  });
});

describe('a context is written', () => {
  test('into a copy of the message and of its headers', () => {
    const message = deepFreeze({ key: 'k', value: 'v', headers: { tenant: 'a' }, custom: 1 });
    const copy = format.write(message, outgoing);
    expect(copy).toEqual({ key: 'k', value: 'v', headers: { tenant: 'a', traceparent: NEW }, custom: 1 });
    expect(message.headers).toEqual({ tenant: 'a' });
  });

  test('into a message without headers', () => {
    expect(format.write({ value: 'v' }, outgoing)).toEqual({ value: 'v', headers: { traceparent: NEW } });
  });

  test('in the place of stale fields, in any letter case and number', () => {
    const headers = { Traceparent: [OLD, 'x'], TRACESTATE: 'a=b', baggage: 'kept=1', traceparent: Buffer.from(OLD) };
    expect(format.write({ value: 'v', headers }, outgoing)?.headers).toEqual({ baggage: 'kept=1', traceparent: NEW });
  });

  test('beside a header with a name that means something to JavaScript', () => {
    const headers = JSON.parse('{"__proto__":"a","constructor":"b"}');
    const copy = format.write({ value: 'v', headers }, outgoing)?.headers as object;
    expect(Object.keys(copy).sort()).toEqual(['__proto__', 'constructor', 'traceparent']);
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  });

  test('not in the place of what kafkajs refuses, so that it does', () => {
    for (const refused of [null, undefined, 7, 7n, {}, [['nested']], ['fine', null]]) {
      const headers = { TraceParent: refused } as unknown as KafkaMessage['headers'];
      expect(format.write({ value: 'v', headers }, outgoing)).toBeUndefined();
    }
  });

  test('not into headers of a class, which kafkajs does not send', () => {
    class Order {
      readonly value = 'v';
      get headers() {
        return { tenant: 'a' };
      }
    }
    expect(format.canCarry(new Order())).toBe(false);
  });

  test('not into headers of another type, which meet the client as they are', () => {
    expect(format.canCarry({})).toBe(true);
    expect(format.canCarry({ headers: {} })).toBe(true);
    for (const headers of [null, [], 'text', 7]) {
      expect(format.canCarry({ headers } as unknown as KafkaMessage)).toBe(false);
    }
  });
});

describe('a message is described', () => {
  test('with its offset as a number', () => {
    const delivered = new DeliveredFormat({ captureMessageKey: false, captureBodySize: false });
    expect(delivered.describe({ value: 'v', offset: '17' })).toEqual({ attributes: { 'kafka.offset': 17 } });
  });

  test('without the offset that it was received with, where it is sent on', () => {
    expect(format.describe({ value: 'v', offset: '17' })).toEqual({});
  });

  test('without a key or a size unless they are asked for', () => {
    expect(format.describe({ key: 'k', value: 'v' })).toEqual({});
    expect(curious.describe({ key: 'k', value: 'wörd' })).toEqual({
      attributes: { 'kafka.message.key': 'k' },
      bodySize: 5,
    });
  });

  const keys: [string, unknown, string | undefined][] = [
    ['text', 'customer', 'customer'],
    ['bytes that are text', Buffer.from('kündin'), 'kündin'],
    ['bytes that are no text', Buffer.from([0xff, 0xfe]), undefined],
    ['null', null, undefined],
    ['absent', undefined, undefined],
  ];
  test.each(keys)('with a key that is %s', (_, key, expected) => {
    const { attributes } = curious.describe({ key, value: 'v' } as KafkaMessage);
    expect(attributes?.['kafka.message.key']).toBe(expected);
  });

  const tombstones: [string, KafkaMessage, true | undefined][] = [
    ['key and no value', { key: 'k', value: null }, true],
    ['key and a value', { key: 'k', value: 'v' }, undefined],
    ['key and an empty value', { key: 'k', value: '' }, undefined],
    ['neither key nor value', { key: null, value: null }, undefined],
    ['no key', { value: null }, undefined],
  ];
  test.each(tombstones)('as a tombstone if it has a %s', (_, message, expected) => {
    expect(format.describe(message).attributes?.['kafka.message.tombstone']).toBe(expected);
  });

  test('with its topic where a call sends to several', () => {
    const topics = new TopicFormat({ of: () => format });
    expect(topics.describe({ topic: 't', message: { key: 'k', value: null } }).attributes).toEqual({
      'kafka.message.tombstone': true,
      'messaging.destination.name': 't',
    });
  });

  test('with the time it was sent', () => {
    expect(format.sentAtMs({ timestamp: '1700000000000' })).toBe(1_700_000_000_000);
    expect(format.sentAtMs({})).toBeUndefined();
  });
});

test.each([
  ['0', 0],
  ['9007199254740991', 9_007_199_254_740_991],
  ['9007199254740992', undefined],
  ['-1', undefined],
  ['', undefined],
  ['1.5', undefined],
  [undefined, undefined],
  [17, undefined],
])('%p as a position is %p', (text, expected) => {
  expect(safeInteger(text)).toBe(expected);
});

test.each([
  [0, 0],
  [12, 12],
  [-1, undefined],
  [1.5, undefined],
  ['3', undefined],
  [undefined, undefined],
])('partition %p as chosen by the application is %p', (partition, expected) => {
  expect(partitionOf({ partition } as KafkaMessage)).toBe(expected);
});

test('a partition that cannot be read is none', () => {
  const message = {
    get partition(): number {
      throw new Error('hostile');
    },
  };
  expect(partitionOf(message)).toBeUndefined();
});
