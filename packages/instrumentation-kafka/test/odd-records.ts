/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Random } from '@otel-messaging/test-utils';
import type { KafkaMessage } from 'kafkajs';

const TIMESTAMP = '1700000000000';

/** The argument of `send`, most of it valid. */
export function record(random: Random, topic: string): object {
  return { topic, messages: messages(random), ...settings(random) };
}

/** The argument of `sendBatch`. */
export function batch(random: Random, topic: string): object {
  const topicMessages = Array.from({ length: random.below(3) }, () => ({ topic, messages: messages(random) }));
  return { ...settings(random), topicMessages };
}

/** A delivered message, without the context that instrumentation writes, in place of another. */
export function storedAs({ key, value, headers, timestamp }: KafkaMessage) {
  return {
    key: key?.toString('hex'),
    value: value?.toString('hex'),
    isTimed: timestamp === TIMESTAMP,
    headers: Object.entries(headers ?? {})
      .filter(([name]) => !/^trace(parent|state)$/i.test(name))
      .map(([name, given]) => [name, [given].flat().map(String)]),
  };
}

function settings(random: Random): object {
  return random.pick([{}, {}, { acks: -1 }, { acks: 1, timeout: 5000 }, { compression: 1 }, { own: true }]);
}

function messages(random: Random): unknown[] {
  return Array.from({ length: 1 + random.below(3) }, () => ({
    value: random.pick(['text', Buffer.from('bytes'), null, '', 'é'.repeat(1000), 'lone \ud800 surrogate']),
    ...random.pick([{}, {}, { key: 'key' }, { key: Buffer.from([0xff]) }, { key: null }]),
    ...random.pick([{}, {}, { partition: 0 }, { timestamp: TIMESTAMP }, { [Symbol('own')]: 'symbol' }]),
    headers: random.pick([
      undefined,
      {},
      { tenant: 'a', 'Content-Type': Buffer.from('b') },
      { list: ['a', Buffer.from('b'), 'c'], empty: [] },
      { 7: 'a number for a name', '': 'no name', ['n'.repeat(300)]: 'long name' },
      { tracestate: 'not=, = one', baggage: '%zz', TraceParent: ['00-zz', 'nothing'] },
      { absent: undefined },
      { nothing: null },
      { nested: [['a']] },
      { big: 7n },
      Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`header-${i}`, `${i}`])),
      JSON.parse('{"__proto__": "own", "constructor": "too"}'),
      Object.create({ inherited: 'header' }),
      new Map([['a', 'b']]),
      [['a', 'b']],
    ]),
  }));
}
