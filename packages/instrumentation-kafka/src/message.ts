/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { isUtf8 } from 'node:buffer';
import { type MessageFacts, type MessageWriter, type OutgoingContext, semconv } from '@otel-messaging/messaging-common';
import { copyOf, define, isPlain } from './copy';

/** One value of a record header, and what stands there if a record has several headers of the name. */
export type HeaderValue = Buffer | string | readonly (Buffer | string)[] | null | undefined;

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

  /** Headers of any other type meet the client's own opinion of them. */
  canCarry({ headers }: KafkaMessage): boolean {
    return headers === undefined || (typeof headers === 'object' && headers !== null && !Array.isArray(headers));
  }

  write(message: KafkaMessage, { fields, stale }: OutgoingContext): KafkaMessage {
    const headers = headersWith(message.headers, fields, stale);
    if (!isPlain(message)) return copyOf(message, MESSAGE_PROPERTIES, { headers });
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

function headersWith(
  headers: KafkaMessage['headers'],
  fields: OutgoingContext['fields'],
  stale: OutgoingContext['stale'],
): Record<string, HeaderValue> {
  if (headers === undefined) return { ...fields };
  const copy: Record<string, HeaderValue> = {};
  for (const name of Object.keys(headers)) {
    if (isOneOf(stale, name)) continue;
    if (name === '__proto__') define(copy, name, headers[name]);
    else copy[name] = headers[name];
  }
  for (const name in fields) copy[name] = fields[name];
  return copy;
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

/** The text of a header's value: of several, the last that is valid, since producers of other languages append. */
export function textOf(value: unknown, field: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  if (Buffer.isBuffer(value)) return value.toString();
  if (!Array.isArray(value)) return undefined;
  for (let i = value.length - 1; i >= 0; i--) {
    const text = Array.isArray(value[i]) ? undefined : textOf(value[i], field);
    if (text !== undefined && isPlausible(text, field)) return text;
  }
  return undefined;
}

/** Whether a duplicate may win over those before it. */
function isPlausible(text: string, field: string): boolean {
  return field === 'traceparent' ? TRACEPARENT.test(text) : text !== '';
}

/** @see https://www.w3.org/TR/trace-context-1/#traceparent-header */
const TRACEPARENT = /^\s?(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(-.*)?\s?$/;

/** Whether a name is one of these, in any letter case. */
export function isOneOf(fields: readonly string[], name: string): boolean {
  for (const field of fields) {
    if (field.length === name.length && (field === name || field.toLowerCase() === name.toLowerCase())) return true;
  }
  return false;
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
