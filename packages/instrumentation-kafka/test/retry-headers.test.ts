/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { HeaderValue } from '../src/headers';
import { DeliveredFormat } from '../src/message';
import { deadLetterSourceIn, RETRY_COUNT_HEADER, retryCountIn } from '../src/retry-headers';

const format = new DeliveredFormat({ captureMessageKey: false, captureBodySize: false });
const int = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

test.each<[string, Record<string, HeaderValue> | undefined, number | undefined]>([
  ['no headers', undefined, undefined],
  ['none that says so', { other: '1' }, undefined],
  ['ours', { [RETRY_COUNT_HEADER]: Buffer.from('2') }, 2],
  ['ours as text', { [RETRY_COUNT_HEADER]: '2' }, 2],
  ['ours twice: the last', { [RETRY_COUNT_HEADER]: [Buffer.from('2'), Buffer.from('3')] }, 3],
  ['ours before others', { [RETRY_COUNT_HEADER]: '2', 'retry_topic-attempts': int(9) }, 2],
  ['ours, broken', { [RETRY_COUNT_HEADER]: '-1', 'x-retry-count': '4' }, 4],
  ["Spring's attempts, of which the first is none", { 'retry_topic-attempts': int(3) }, 2],
  ["Spring's first attempt", { 'retry_topic-attempts': int(1) }, 0],
  ["Spring's of a byte", { 'retry_topic-attempts': Buffer.from([2]) }, 1],
  ["Spring's copied as text", { 'retry_topic-attempts': Buffer.from('3') }, 2],
  ["Spring's, absurd", { 'retry_topic-attempts': int(-1) }, undefined],
  ["SmallRye's", { 'delayed-retry-count': Buffer.from('5') }, 5],
  ['by hand', { 'x-retry-count': '1' }, 1],
  ['empty', { 'x-retry-count': Buffer.alloc(0), 'retry_topic-attempts': Buffer.alloc(0) }, undefined],
  ['null', { [RETRY_COUNT_HEADER]: null }, undefined],
  ['huge', { [RETRY_COUNT_HEADER]: '9'.repeat(400) }, undefined],
])('deliveries before: %s', (_, headers, count) => {
  expect(retryCountIn({ headers }, format)).toBe(count);
});

test.each<[string, Record<string, HeaderValue> | undefined, string | undefined]>([
  ['no headers', undefined, undefined],
  ['ours first', { 'otel-messaging-dead-letter-source': 'orders', 'x-original-topic': 'bills' }, 'orders'],
  ["Spring's", { 'kafka_dlt-original-topic': Buffer.from('orders') }, 'orders'],
  ["Connect's", { '__connect.errors.topic': 'orders' }, 'orders'],
  ["SmallRye's", { 'dead-letter-topic': 'orders' }, 'orders'],
  ["Spring Cloud Stream's", { 'x-original-topic': Buffer.from('orders') }, 'orders'],
  ['what is no topic', { 'x-original-topic': 'a b' }, undefined],
  ['what is too long', { 'x-original-topic': Buffer.alloc(250, 97) }, undefined],
])('where it died: %s', (_, headers, source) => {
  expect(deadLetterSourceIn({ headers }, format)).toBe(source);
});
