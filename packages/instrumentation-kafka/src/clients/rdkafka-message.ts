/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { MessageFacts, MessageWriter, OutgoingContext } from '@otel-messaging/messaging-common';
import { isOneOf, isTextOrBytes, textOf } from '../headers';
import { DeliveredFormat, KafkaFormat, type MessageOptions } from '../message';

/** Headers as librdkafka's clients have them: a list of objects with one property each, so that names may repeat. */
export type HeaderList = readonly Readonly<Record<string, unknown>>[];

/** A record as librdkafka's clients deliver it, or the arguments of `produce`. */
export interface RdMessage {
  readonly topic: string;
  readonly partition?: number | null;
  readonly value?: Buffer | null;
  readonly key?: Buffer | string | null;
  readonly headers?: HeaderList | null;
  /** Milliseconds since the epoch. */
  readonly timestamp?: number | null;
  /** Delivered records only. */
  readonly offset?: number;
}

/** Reads and writes records of librdkafka's clients; pure but for the options. */
export class RdFormat implements MessageWriter<RdMessage> {
  private readonly outgoing: KafkaFormat;
  private readonly delivered: DeliveredFormat;

  constructor(options: MessageOptions) {
    this.outgoing = new KafkaFormat(options);
    this.delivered = new DeliveredFormat(options);
  }

  get({ headers }: RdMessage, field: string): string | undefined {
    return listText(headers, field);
  }

  keys({ headers }: RdMessage): string[] {
    return Array.isArray(headers) ? headers.map(nameOf).filter((name) => name !== undefined) : [];
  }

  describe({ key, value, offset }: RdMessage): MessageFacts {
    return offset === undefined
      ? this.outgoing.describe({ key, value })
      : this.delivered.describe({ key, value, offset: String(offset) });
  }

  sentAtMs({ timestamp }: RdMessage): number | undefined {
    return timestamp ?? undefined;
  }

  /** Anything else than a list meets the client's own opinion of it. */
  canCarry({ headers }: RdMessage): boolean {
    return headers === undefined || headers === null || Array.isArray(headers);
  }

  /** Of the arguments of `produce`: no object of the application's is copied. */
  write(message: RdMessage, outgoing: OutgoingContext): RdMessage | undefined {
    const { topic, partition, value, key, timestamp } = message;
    const headers = listWith(message.headers, outgoing);
    return headers && { topic, partition, value, key, timestamp, headers };
  }
}

/** The text of a header in a list: of several, the last that is valid. */
function listText(headers: unknown, field: string): string | undefined {
  if (!Array.isArray(headers)) return undefined;
  let first: unknown;
  let several: unknown[] | undefined;
  for (let i = 0; i < headers.length; i++) {
    const header = headers[i];
    const name = nameOf(header);
    if (name === undefined || name.length !== field.length) continue;
    if (name !== field && name.toLowerCase() !== field.toLowerCase()) continue;
    if (first === undefined) first = header[name];
    else if (several === undefined) several = [first, header[name]];
    else several.push(header[name]);
  }
  return textOf(several ?? first, field);
}

/**
 * A list that carries other fields; the application's own headers are the very same objects. Undefined where the client
 * would refuse what stands in the place of a field.
 */
function listWith(headers: unknown, { fields, stale }: OutgoingContext): HeaderList | undefined {
  const list: Record<string, unknown>[] = [];
  if (Array.isArray(headers)) {
    for (let i = 0; i < headers.length; i++) {
      const name = nameOf(headers[i]);
      if (name === undefined || !isOneOf(stale, name)) list.push(headers[i]);
      else if (!isTextOrBytes(headers[i][name])) return undefined;
    }
  }
  for (const name in fields) list.push({ [name]: fields[name] });
  return list;
}

/** The one name that a header has; clients read no more of them. */
function nameOf(header: unknown): string | undefined {
  if (typeof header !== 'object' || header === null) return undefined;
  for (const name in header) if (Object.hasOwn(header, name)) return name;
  return undefined;
}
