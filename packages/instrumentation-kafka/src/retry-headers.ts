/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { HeaderValue, KafkaMessage } from './message';

/** How often a message had been delivered before this delivery, decimal; written by us, on its way to a retry or dead-letter topic. */
export const RETRY_COUNT_HEADER = 'otel-messaging-retry-count';

/** These headers come from the wire. */
const MAX_COUNT = 1_000_000;

/** Deliveries of a message before this one, by our header or those that others write; undefined if none says so. */
export function retryCountIn({ headers }: KafkaMessage): number | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined;
  const own = decimalIn(headers[RETRY_COUNT_HEADER]);
  if (own !== undefined) return own;
  const attempts = integerIn(headers[SPRING_ATTEMPTS]);
  if (attempts !== undefined) return Math.max(0, attempts - 1);
  for (const name of COUNTS) {
    const count = decimalIn(headers[name]);
    if (count !== undefined) return count;
  }
  return undefined;
}

/** The topic that a dead letter comes from, by headers that others write. */
export function deadLetterSourceIn({ headers }: KafkaMessage): string | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined;
  for (const name of SOURCES) {
    const topic = textIn(headers[name]);
    if (topic !== undefined && TOPIC.test(topic)) return topic;
  }
  return undefined;
}

/** Of Spring for Apache Kafka: the attempt that this delivery is, as a big-endian integer of one to four bytes. */
const SPRING_ATTEMPTS = 'retry_topic-attempts';
/** Of SmallRye Reactive Messaging, and what many write by hand. */
const COUNTS = ['delayed-retry-count', 'x-retry-count'];
/** Of Spring for Apache Kafka, Kafka Connect, SmallRye, and Spring Cloud Stream. */
const SOURCES = ['kafka_dlt-original-topic', '__connect.errors.topic', 'dead-letter-topic', 'x-original-topic'];

/** A name that Kafka accepts. */
const TOPIC = /^[\w.-]{1,249}$/;

function decimalIn(value: HeaderValue): number | undefined {
  const text = textIn(value);
  return text !== undefined && /^\d{1,7}$/.test(text) ? Math.min(Number(text), MAX_COUNT) : undefined;
}

/** Text first: `3` is no 51. */
function integerIn(value: HeaderValue): number | undefined {
  const decimal = decimalIn(value);
  const bytes = lastOf(value);
  if (decimal !== undefined || !Buffer.isBuffer(bytes) || bytes.length === 0 || bytes.length > 4) return decimal;
  return Math.min(bytes.readUIntBE(0, bytes.length), MAX_COUNT);
}

function textIn(value: HeaderValue): string | undefined {
  const last = lastOf(value);
  if (typeof last === 'string') return last;
  return Buffer.isBuffer(last) && last.length <= 249 ? last.toString() : undefined;
}

/** Of several headers of one name the last: producers append. */
function lastOf(value: HeaderValue): Buffer | string | null | undefined {
  return Array.isArray(value) ? value[value.length - 1] : (value as Buffer | string | null | undefined);
}
