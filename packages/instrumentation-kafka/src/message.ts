/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { isUtf8 } from 'node:buffer';
import { type MessageFacts, type MessageWriter, type OutgoingContext, semconv } from '@otel-messaging/messaging-common';
import { define, isPlain, standInFor } from './copy';
import { type HeaderValue, headersWith, isTable, textOf } from './headers';

/** A record, outgoing or delivered, in the shape that Kafka's Node.js clients share. */
export interface KafkaMessage {
  readonly key?: Buffer | string | null;
  readonly value?: Buffer | string | null;
  readonly headers?: Readonly<Record<string, HeaderValue>>;
  readonly partition?: number;
  /** Milliseconds since the epoch, decimal. */
  readonly timestamp?: string;
  /** Decimal; delivered records only. */
  readonly offset?: string;
}

/** What may be recorded of a message besides its position; may change while clients live. */
export interface MessageOptions {
  captureMessageKey: boolean;
  captureBodySize: boolean;
}

const NOTHING: MessageFacts = {};

/** Reads and writes outgoing records; pure but for the options. */
export class KafkaFormat implements MessageWriter<KafkaMessage> {
  constructor(private readonly options: MessageOptions) {}

  get({ headers }: KafkaMessage, field: string): string | undefined {
    if (typeof headers !== 'object' || headers === null) return undefined;
    const exact = textOf(headers[field], field);
    if (exact !== undefined) return exact;
    let found: string | undefined;
    for (const name in headers) {
      if (name.length !== field.length || name === field || name.toLowerCase() !== field.toLowerCase()) continue;
      found = textOf(headers[name], field) ?? found;
    }
    return found;
  }

  keys({ headers }: KafkaMessage): string[] {
    return typeof headers === 'object' && headers !== null ? Object.keys(headers) : [];
  }

  /** Without the offset, which a message that was received and is sent on still has. */
  describe(message: KafkaMessage): MessageFacts {
    return this.describeAt(message, undefined);
  }

  sentAtMs({ timestamp }: KafkaMessage): number | undefined {
    return timestamp === undefined ? undefined : Number(timestamp);
  }

  /**
   * Headers of any other type meet the client's own opinion of them. So do those that a message inherits, or has a getter
   * for: kafkajs does not send them, as it would send those of a copy.
   */
  canCarry(message: KafkaMessage): boolean {
    return message.headers === undefined || (isTable(message.headers) && isOwn(message, 'headers'));
  }

  write(message: KafkaMessage, { fields, stale }: OutgoingContext): KafkaMessage | undefined {
    const headers = headersWith(message.headers, fields, stale);
    if (headers === undefined) return undefined;
    if (!isPlain(message)) return copyOfInstance(message, headers);
    // Node 20 takes a microsecond to add a property to what it has just spread, and a tenth of that to overwrite one.
    const copy: { headers: KafkaMessage['headers'] } = { headers, ...message };
    copy.headers = headers;
    return copy;
  }

  protected describeAt({ key, value }: KafkaMessage, offset: number | undefined): MessageFacts {
    const { captureMessageKey, captureBodySize } = this.options;
    const hasKey = key !== undefined && key !== null;
    // Most outgoing messages: nothing to allocate for.
    if (offset === undefined && !captureBodySize && !(hasKey && (value === null || captureMessageKey))) return NOTHING;
    const attributes: Record<string, string | number | boolean> = {};
    if (offset !== undefined) attributes[semconv.ATTR_KAFKA_OFFSET] = offset;
    if (hasKey && value === null) attributes[semconv.ATTR_KAFKA_MESSAGE_TOMBSTONE] = true;
    const text = hasKey && captureMessageKey ? keyText(key) : undefined;
    if (text !== undefined) attributes[semconv.ATTR_KAFKA_MESSAGE_KEY] = text;
    return captureBodySize ? { attributes, bodySize: sizeOf(value) } : { attributes };
  }
}

/** Reads delivered records. */
export class DeliveredFormat extends KafkaFormat {
  override describe(message: KafkaMessage): MessageFacts {
    return this.describeAt(message, safeInteger(message.offset));
  }
}

/** What clients read of an outgoing message. */
const MESSAGE_PROPERTIES = ['key', 'value', 'partition', 'timestamp'] as const;

/**
 * Partitioners ask a message for everything it has; kafkajs then spreads it into a record, so that of an instance of a
 * class, with getters perhaps, it sends the own properties only. The same is true of the copy.
 */
function copyOfInstance(message: KafkaMessage, headers: KafkaMessage['headers']): KafkaMessage {
  const copy = standInFor(message);
  for (const name of MESSAGE_PROPERTIES) define(copy, name, message[name], isOwn(message, name));
  define(copy, 'headers', headers);
  return copy;
}

function isOwn(object: object, name: string): boolean {
  return Object.prototype.propertyIsEnumerable.call(object, name);
}

/** A message beside its topic, for calls that send to several. */
export interface TopicMessage {
  readonly topic: string;
  readonly message: KafkaMessage;
}

/** Reads and writes messages of several topics: each is described with its own. */
export class TopicFormat implements MessageWriter<TopicMessage> {
  constructor(private readonly formats: { of(topic: string): MessageWriter<KafkaMessage> }) {}

  get({ topic, message }: TopicMessage, field: string): string | undefined {
    return this.formats.of(topic).get(message, field);
  }

  keys({ topic, message }: TopicMessage): string[] {
    return this.formats.of(topic).keys(message);
  }

  describe({ topic, message }: TopicMessage): MessageFacts {
    const facts = this.formats.of(topic).describe(message);
    return { ...facts, attributes: { ...facts.attributes, [semconv.ATTR_MESSAGING_DESTINATION_NAME]: topic } };
  }

  canCarry({ topic, message }: TopicMessage): boolean {
    return this.formats.of(topic).canCarry?.(message) ?? true;
  }

  write({ topic, message }: TopicMessage, outgoing: OutgoingContext): TopicMessage | undefined {
    const copy = this.formats.of(topic).write(message, outgoing);
    return copy && { topic, message: copy };
  }
}

/** The partition that the application chose for a message. */
export function partitionOf(message: KafkaMessage): number | undefined {
  try {
    const { partition } = message;
    return Number.isSafeInteger(partition) && (partition as number) >= 0 ? partition : undefined;
  } catch {
    return undefined; // a getter that throws, as it will for the client
  }
}

/** The number that a decimal text stands for, unless it is too large to be exact. */
export function safeInteger(text: unknown): number | undefined {
  if (typeof text !== 'string' || text === '') return undefined;
  const number = Number(text);
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** Bytes that are not text have no unambiguous form, and are left out. */
function keyText(key: unknown): string | undefined {
  if (typeof key === 'string') return key;
  return Buffer.isBuffer(key) && isUtf8(key) ? key.toString() : undefined;
}

function sizeOf(value: unknown): number | undefined {
  if (typeof value === 'string') return Buffer.byteLength(value);
  return Buffer.isBuffer(value) ? value.length : undefined;
}
