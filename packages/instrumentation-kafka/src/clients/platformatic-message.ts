/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type MessageFacts, type MessageWriter, type OutgoingContext, semconv } from '@otel-messaging/messaging-common';
import { ownCopyOf } from '../copy';
import { isOneOf, textOf } from '../headers';
import { DeliveredFormat, KafkaFormat, type MessageOptions } from '../message';

/** A name or value of a header: text, or bytes where the client was given nothing that makes text of them. */
type HeaderPart = string | Buffer;
type HeaderEntries = Iterable<readonly [HeaderPart, unknown]>;

/** A record as @platformatic/kafka takes and delivers it. */
export interface PltMessage {
  readonly topic: string;
  readonly partition?: number;
  readonly key?: unknown;
  readonly value?: unknown;
  readonly headers?: ReadonlyMap<HeaderPart, unknown> | Readonly<Record<string, unknown>> | null;
  /** Delivered records only: all headers in order, where names repeat. */
  readonly headerEntries?: readonly (readonly [HeaderPart, unknown])[];
  /** Milliseconds since the epoch. */
  readonly timestamp?: bigint;
  /** Delivered records only. */
  readonly offset?: bigint;
}

/** How a producer has headers: as they are, in which case they must be bytes, or as its serializers take them. */
export interface HeaderForm {
  readonly namesAreBytes: boolean;
  readonly valuesAreBytes: boolean;
}

/** Reads and writes records; pure but for the options. */
export class PltFormat implements MessageWriter<PltMessage> {
  private readonly outgoing: KafkaFormat;
  private readonly delivered: DeliveredFormat;

  constructor(
    options: MessageOptions,
    private readonly form: HeaderForm,
    private readonly namesTopics: boolean,
  ) {
    this.outgoing = new KafkaFormat(options);
    this.delivered = new DeliveredFormat(options);
  }

  get(message: PltMessage, field: string): string | undefined {
    let values: unknown[] | undefined;
    for (const [part, value] of entriesOf(message)) {
      if (part.length !== field.length) continue;
      const name = typeof part === 'string' ? part : String(part);
      if (name === field || name.toLowerCase() === field.toLowerCase()) {
        values ??= [];
        values.push(value);
      }
    }
    return values === undefined ? undefined : textOf(values.length === 1 ? values[0] : values, field);
  }

  keys(message: PltMessage): string[] {
    return Array.from(entriesOf(message), ([name]) => String(name));
  }

  describe({ topic, key, value, offset }: PltMessage): MessageFacts {
    // Absent means null here: a record without a value deletes its key.
    const record = { key: bytes(key), value: value === undefined ? null : bytes(value) };
    const facts =
      offset === undefined
        ? this.outgoing.describe(record)
        : this.delivered.describe({ ...record, offset: String(offset) });
    if (!this.namesTopics) return facts;
    return { ...facts, attributes: { ...facts.attributes, [semconv.ATTR_MESSAGING_DESTINATION_NAME]: topic } };
  }

  sentAtMs({ timestamp }: PltMessage): number | undefined {
    return timestamp === undefined ? undefined : Number(timestamp);
  }

  /** Headers of any other type meet the client's own opinion of them. */
  canCarry({ headers }: PltMessage): boolean {
    return headers === undefined || headers === null || (typeof headers === 'object' && !Array.isArray(headers));
  }

  write(message: PltMessage, { fields, stale }: OutgoingContext): PltMessage {
    const { namesAreBytes, valuesAreBytes } = this.form;
    const headers = new Map<HeaderPart, unknown>();
    for (const [name, value] of entriesIn(message.headers)) {
      if (!isOneOf(stale, String(name))) headers.set(name, value);
    }
    for (const name in fields) {
      const value = fields[name] as string;
      headers.set(namesAreBytes ? Buffer.from(name) : name, valuesAreBytes ? Buffer.from(value) : value);
    }
    return ownCopyOf(message, ['topic', 'key', 'value', 'partition', 'timestamp'], { headers });
  }
}

function entriesOf({ headers, headerEntries }: PltMessage): HeaderEntries {
  return Array.isArray(headerEntries) ? headerEntries : entriesIn(headers);
}

function entriesIn(headers: PltMessage['headers']): HeaderEntries {
  if (headers instanceof Map) return headers;
  return typeof headers === 'object' && headers !== null ? Object.entries(headers) : [];
}

/** What the application's serializers make bytes of has no size, and as a key no text, that we could know. */
function bytes(part: unknown): string | Buffer | null | undefined {
  if (part === undefined || part === null || typeof part === 'string' || Buffer.isBuffer(part)) return part;
  return UNKNOWN;
}

const UNKNOWN = {} as unknown as Buffer;
