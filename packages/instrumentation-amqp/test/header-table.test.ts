/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { dirname, join } from 'node:path';
import { headerSize, roomForHeaders } from '../src/header-table';

const folder = dirname(require.resolve('amqplib'));
const { publish } = require(join(folder, 'lib/api_args.js'));
const { BasicProperties, encodeProperties } = require(join(folder, 'lib/defs.js'));

/** The frame in which amqplib sends these options. */
function frameOf(options: object): Buffer {
  return encodeProperties(BasicProperties, 1, 0, publish('exchange', 'key', options));
}

const OPTIONS: Readonly<Record<string, Record<string, unknown>>> = {
  'no headers': {},
  'one header': { headers: { tenant: 'a' } },
  'every kind of value': {
    headers: {
      text: 'täxt €',
      number: 5,
      large: 2 ** 40,
      fraction: 0.5,
      flag: true,
      nothing: null,
      absent: undefined,
      bytes: Buffer.from('bytes'),
      list: [1, 'two', ['three', { four: 4 }]],
      table: { a: { b: { c: 'd' } } },
      time: { '!': 'timestamp', value: 5 },
    },
  },
  'copies and long properties': {
    CC: ['one', 'two'],
    BCC: 'three',
    messageId: 'm'.repeat(200),
    correlationId: 'c'.repeat(200),
    contentType: 'application/json',
    expiration: 5000,
    timestamp: 5,
    priority: 1,
    persistent: true,
  },
  'inherited headers': { headers: Object.create({ inherited: 'x'.repeat(300) }) },
  'a huge header': { headers: { huge: 'ä'.repeat(20_000) } },
};

describe.each(Object.keys(OPTIONS))('%s', (name) => {
  const options = OPTIONS[name] as Record<string, unknown>;

  test('what is said to fit can be encoded', () => {
    const room = roomForHeaders(options, 131_072);
    const value = 'x'.repeat(room - headerSize('added', ''));
    const headers = Object.assign(Object.create((options['headers'] as object) ?? null), { added: value });
    expect(() => frameOf({ ...options, headers })).not.toThrow();
  });

  test('what is said to fit stays within the frame that was agreed on', () => {
    const frameMax = 60_000;
    const room = roomForHeaders(options, frameMax);
    const value = 'x'.repeat(room - headerSize('added', ''));
    const headers = Object.assign(Object.create((options['headers'] as object) ?? null), { added: value });
    expect(frameOf({ ...options, headers }).length).toBeLessThanOrEqual(frameMax);
  });
});

test('the room is exact where it matters: one byte more does not fit', () => {
  const headers = { own: 'x'.repeat(65_000) };
  const room = roomForHeaders({ headers }, 131_072);
  const added = (bytes: number) => ({ headers: { ...headers, a: 'x'.repeat(bytes - headerSize('a', '')) } });
  expect(() => frameOf(added(room))).not.toThrow();
  expect(() => frameOf(added(room + 1))).toThrow(RangeError);
});

test('there is no room in a table that is nested without end', () => {
  const headers: Record<string, unknown> = {};
  headers['self'] = headers;
  expect(roomForHeaders({ headers }, 131_072)).toBeLessThan(0);
  const list: unknown[] = [];
  list.push(list);
  expect(roomForHeaders({ headers: { list } }, 131_072)).toBeLessThan(0);
});

test('objects that refer to one another are not walked to the end: amqplib gives such a table up at once', () => {
  let reads = 0;
  let value: unknown = 'leaf';
  // Ten objects with three ways each to the next: 3^10 leaves.
  for (let depth = 0; depth < 10; depth++) {
    const inner = value;
    const get = () => {
      reads++;
      return inner;
    };
    value = Object.defineProperties(
      {},
      Object.fromEntries(['one', 'two', 'three'].map((name) => [name, { enumerable: true, get }])),
    );
  }
  expect(roomForHeaders({ headers: value as object }, 131_072)).toBeLessThan(0);
  expect(reads).toBeLessThan(20_000);
  expect(() => frameOf({ headers: value })).toThrow(RangeError);
});
