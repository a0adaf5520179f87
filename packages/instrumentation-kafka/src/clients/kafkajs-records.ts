/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type Outcome, semconv } from '@otel-messaging/messaging-common';
import type { ProducerBatch, ProducerRecord, RecordMetadata, TopicMessages } from 'kafkajs';
import { copyOf, isPlain } from '../copy';
import { type KafkaMessage, safeInteger } from '../message';

/** Messages for one topic, as they are in a call's argument. */
export interface Entry {
  readonly topic: string;
  readonly messages: readonly KafkaMessage[];
}

/** One of the two shapes in which kafkajs takes messages. */
export interface RecordShape<T> {
  /** What is to be sent; undefined for what kafkajs will refuse, which then gets the argument as it is. */
  read(argument: T): readonly Entry[] | undefined;
  /** A copy of the argument with other messages, in the order of the entries. */
  rebuild(argument: T, entries: readonly Entry[], messages: readonly KafkaMessage[]): T;
}

/** The argument of `send`. */
export const RECORD: RecordShape<ProducerRecord> = {
  read(record) {
    const entry = entryOf(record);
    return entry === undefined ? undefined : [entry];
  },
  rebuild(record, _entries, messages) {
    const own = messages as ProducerRecord['messages'];
    if (!isPlain(record)) return copyOf(record, SEND_PROPERTIES, { messages: own });
    const copy = { messages: own, ...(record as Omit<ProducerRecord, 'messages'>) };
    copy.messages = own; // as in `KafkaFormat.write`
    return copy;
  },
};

/** The argument of `sendBatch`. */
export const BATCH: RecordShape<ProducerBatch> = {
  read({ topicMessages }) {
    if (!Array.isArray(topicMessages)) return undefined;
    const entries: Entry[] = [];
    for (const given of topicMessages) {
      const entry = entryOf(given);
      if (entry === undefined) return undefined;
      entries.push(entry);
    }
    return entries;
  },
  rebuild(batch, entries, messages) {
    let next = 0;
    const topicMessages = entries.map((entry, i) => {
      const own = messages.slice(next, next + entry.messages.length) as TopicMessages['messages'];
      next += own.length;
      return copyOf((batch.topicMessages as TopicMessages[])[i] as TopicMessages, TOPIC_PROPERTIES, { messages: own });
    });
    return copyOf(batch, BATCH_PROPERTIES, { topicMessages });
  },
};

const SEND_PROPERTIES = ['topic', 'acks', 'timeout', 'compression'] as const;
const BATCH_PROPERTIES = ['acks', 'timeout', 'compression'] as const;
const TOPIC_PROPERTIES = ['topic'] as const;

/**
 * Refuses what kafkajs refuses before it sends anything: its errors quote the message, which must be the application's own.
 * Goes by index, into a list of ours: the application's may be a batch that it was given, whose iteration has a meaning.
 */
function entryOf({ topic, messages: given }: TopicMessages): Entry | undefined {
  if (typeof topic !== 'string' || topic === '' || !Array.isArray(given)) return undefined;
  const messages: KafkaMessage[] = [];
  for (let i = 0; i < given.length; i++) {
    const message: unknown = given[i];
    if (typeof message !== 'object' || message === null) return undefined;
    if ((message as KafkaMessage).value === undefined) return undefined;
    messages.push(message as KafkaMessage);
  }
  return { topic, messages };
}

const NOTHING: Outcome = {};

/** Where a single message went. */
export function positionOf(answer: readonly RecordMetadata[]): Outcome {
  const [metadata] = answer ?? [];
  if (metadata === undefined) return NOTHING; // `acks: 0`
  const attributes: Record<string, string | number> = {
    [semconv.ATTR_MESSAGING_DESTINATION_PARTITION_ID]: String(metadata.partition),
  };
  // `offset` is what brokers before 0.11 answer.
  const offset = safeInteger(metadata.baseOffset ?? metadata.offset);
  if (offset !== undefined) attributes[semconv.ATTR_KAFKA_OFFSET] = offset;
  return { attributes };
}

/** The partition that all messages went to, if it is one. */
export function commonPartitionOf(answer: readonly RecordMetadata[]): Outcome {
  if (answer?.length !== 1) return NOTHING;
  return { attributes: { [semconv.ATTR_MESSAGING_DESTINATION_PARTITION_ID]: String(answer[0]?.partition) } };
}
