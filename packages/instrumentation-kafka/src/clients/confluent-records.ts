/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { AnyFunction, OutgoingContext } from '@otel-messaging/messaging-common';
import type { ProducerBatch, ProducerRecord } from 'kafkajs';
import { isPlain, ownCopyOf } from '../copy';
import { isTable } from '../headers';
import { KafkaFormat, type KafkaMessage } from '../message';
import type { Handlers } from './kafkajs-consumer';
import { BATCH as KAFKAJS_BATCH, RECORD as KAFKAJS_RECORD, type RecordShape } from './kafkajs-records';

/** The argument of `send`: as kafkajs takes it, without the options that Confluent's client refuses. */
export const RECORD: RecordShape<ProducerRecord> = {
  // The client refuses an object without a prototype, which a copy would not show it.
  read: (record) => (record instanceof Object ? KAFKAJS_RECORD.read(record) : undefined),
  rebuild: (record, entries, messages) =>
    isPlain(record)
      ? KAFKAJS_RECORD.rebuild(record, entries, messages)
      : ownCopyOf(record, ['topic'], { messages: messages as never }),
};

/** The argument of `sendBatch`. */
export const BATCH: RecordShape<ProducerBatch> = {
  read: (batch) =>
    batch instanceof Object && batch.topicMessages?.every((one) => one instanceof Object)
      ? KAFKAJS_BATCH.read(batch)
      : undefined,
  rebuild(batch, entries, messages) {
    let next = 0;
    const given = batch.topicMessages ?? [];
    const topicMessages = entries.map((entry, i) => {
      const own = messages.slice(next, next + entry.messages.length);
      next += own.length;
      return ownCopyOf(given[i] as (typeof given)[0], ['topic'], { messages: own as never });
    });
    return ownCopyOf(batch, [], { topicMessages });
  },
};

/** Reads and writes outgoing records; the client itself changes what it is given, so that headers may be null. */
export class ConfluentFormat extends KafkaFormat {
  override canCarry({ headers }: KafkaMessage): boolean {
    return headers === undefined || headers === null || isTable(headers);
  }

  override write(message: KafkaMessage, outgoing: OutgoingContext): KafkaMessage | undefined {
    if (isPlain(message) && message.headers !== null) return super.write(message, outgoing);
    const written = super.write({ headers: message.headers ?? undefined }, outgoing);
    return written && ownCopyOf(message, ['key', 'value'], { headers: written.headers });
  }
}

/** A copy of a run configuration with wrapped handlers; the client sees a configuration's own properties only. */
export function handlersOf(config: unknown, handlers: () => Handlers): unknown {
  if (typeof config !== 'object' || config === null) return config;
  const changes: Record<string, AnyFunction> = {};
  for (const name of ['eachMessage', 'eachBatch'] as const) {
    const handler = Object.hasOwn(config, name) ? (config as Record<string, unknown>)[name] : undefined;
    if (typeof handler === 'function') changes[name] = handlers()[name](handler as AnyFunction) as AnyFunction;
  }
  return ownCopyOf(config, [], changes);
}
