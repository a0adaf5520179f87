/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { MessageReader } from '@otel-messaging/messaging-common';

/** How often a message had been delivered before this delivery, decimal; written by us, on its way to a retry or dead-letter topic. */
export const RETRY_COUNT_HEADER = 'otel-messaging-retry-count';

/** The topic that a message died in; written by us, on its way to a dead-letter topic of several topics. */
export const DEAD_LETTER_SOURCE_HEADER = 'otel-messaging-dead-letter-source';

/** These headers come from the wire. */
const MAX_COUNT = 1_000_000;

/** Deliveries of a message before this one, by our header or those that others write; undefined if none says so. */
export function retryCountIn<M>(message: M, reader: MessageReader<M>): number | undefined {
  const own = decimalIn(reader.get(message, RETRY_COUNT_HEADER));
  if (own !== undefined) return own;
  const attempts = integerIn(reader.get(message, SPRING_ATTEMPTS));
  if (attempts !== undefined) return Math.max(0, attempts - 1);
  for (const name of COUNTS) {
    const count = decimalIn(reader.get(message, name));
    if (count !== undefined) return count;
  }
  return undefined;
}

/** The topic that a dead letter comes from, by our header or those that others write. */
export function deadLetterSourceIn<M>(message: M, reader: MessageReader<M>): string | undefined {
  for (const name of SOURCES) {
    const topic = reader.get(message, name);
    if (topic !== undefined && TOPIC.test(topic)) return topic;
  }
  return undefined;
}

/** Of Spring for Apache Kafka: the attempt that this delivery is, as a big-endian integer of one to four bytes. */
const SPRING_ATTEMPTS = 'retry_topic-attempts';
/** Of SmallRye Reactive Messaging, and what many write by hand. */
const COUNTS = ['delayed-retry-count', 'x-retry-count'];
/** Ours; then of Spring for Apache Kafka, Kafka Connect, SmallRye, and Spring Cloud Stream. */
const SOURCES = [
  DEAD_LETTER_SOURCE_HEADER,
  'kafka_dlt-original-topic',
  '__connect.errors.topic',
  'dead-letter-topic',
  'x-original-topic',
];

/** A name that Kafka accepts. */
const TOPIC = /^[\w.-]{1,249}$/;

function decimalIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,7}$/.test(text) ? Math.min(Number(text), MAX_COUNT) : undefined;
}

/** Decimal text first: `3` is no 51. Bytes above 127, which are no text, do not come in attempts. */
function integerIn(text: string | undefined): number | undefined {
  const decimal = decimalIn(text);
  if (decimal !== undefined || text === undefined || text.length === 0 || text.length > 4) return decimal;
  let integer = 0;
  for (let i = 0; i < text.length; i++) {
    const byte = text.charCodeAt(i);
    if (byte > 127) return undefined;
    integer = integer * 256 + byte;
  }
  return Math.min(integer, MAX_COUNT);
}
