/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { deepFreeze } from '@otel-messaging/test-utils';
import type { ProducerBatch, ProducerRecord, RecordMetadata } from 'kafkajs';
import { BATCH, commonPartitionOf, positionOf, RECORD } from '../src/clients/kafkajs-records';

const messages = [{ value: 'a' }, { value: 'b' }];

test('a record is read and rebuilt with everything else that it had', () => {
  const record = deepFreeze({ topic: 't', messages, acks: 1, timeout: 5, custom: true });
  const entries = RECORD.read(record) ?? [];
  expect(entries).toEqual([{ topic: 't', messages }]);
  expect(RECORD.rebuild(record, entries, [{ value: 'x' }])).toEqual({ ...record, messages: [{ value: 'x' }] });
});

test('a batch is rebuilt topic by topic, empty ones too', () => {
  const batch = deepFreeze({
    acks: -1,
    topicMessages: [
      { topic: 'a', messages: [{ value: '1' }] },
      { topic: 'b', messages: [] },
      { topic: 'c', messages: [{ value: '2' }, { value: '3' }], custom: true },
    ],
  });
  const entries = BATCH.read(batch) ?? [];
  const copies = entries.flatMap((entry) => entry.messages).map(({ value }) => ({ value: `copy of ${value}` }));
  expect(BATCH.rebuild(batch, entries, copies)).toEqual({
    acks: -1,
    topicMessages: [
      { topic: 'a', messages: [{ value: 'copy of 1' }] },
      { topic: 'b', messages: [] },
      { topic: 'c', messages: [{ value: 'copy of 2' }, { value: 'copy of 3' }], custom: true },
    ],
  });
});

test.each<[string, unknown]>([
  ['no topic', { messages }],
  ['an empty topic', { topic: '', messages }],
  ['a topic that is no text', { topic: 7, messages }],
  ['no messages', { topic: 't' }],
  ['messages that are no list', { topic: 't', messages: 'abc' }],
  ['a message that is null', { topic: 't', messages: [{ value: 'a' }, null] }],
  ['a message that is text', { topic: 't', messages: ['abc'] }],
  ['a message without value', { topic: 't', messages: [{ key: 'k' }] }],
  ['a hole in the list', { topic: 't', messages: new Array(1) }],
])('a record with %s is left to kafkajs', (_, record) => {
  expect(RECORD.read(record as ProducerRecord)).toBeUndefined();
  expect(BATCH.read({ topicMessages: [{ topic: 'fine', messages }, record] } as ProducerBatch)).toBeUndefined();
});

test.each<[string, unknown]>([
  ['no topicMessages', {}],
  ['null', { topicMessages: null }],
  ['text', { topicMessages: 'abc' }],
])('a batch with %s is left to kafkajs', (_, batch) => {
  expect(BATCH.read(batch as ProducerBatch)).toBeUndefined();
});

const answer = (parts: Partial<RecordMetadata>[]) => parts as RecordMetadata[];

test.each<[string, RecordMetadata[], object]>([
  [
    'a position',
    answer([{ partition: 2, baseOffset: '7' }]),
    { 'messaging.destination.partition.id': '2', 'kafka.offset': 7 },
  ],
  [
    'one of an old broker',
    answer([{ partition: 2, offset: '7' }]),
    { 'messaging.destination.partition.id': '2', 'kafka.offset': 7 },
  ],
  ['an unknown offset', answer([{ partition: 2, baseOffset: '-1' }]), { 'messaging.destination.partition.id': '2' }],
])('%s is told of a single message', (_, metadata, attributes) => {
  expect(positionOf(metadata)).toEqual({ attributes });
});

test('nothing is told without acknowledgement', () => {
  expect(positionOf([])).toEqual({});
  expect(commonPartitionOf([])).toEqual({});
});

test('the partition of a batch is told if it is one', () => {
  expect(commonPartitionOf(answer([{ partition: 1 }]))).toEqual({
    attributes: { 'messaging.destination.partition.id': '1' },
  });
  expect(commonPartitionOf(answer([{ partition: 1 }, { partition: 2 }]))).toEqual({});
});
