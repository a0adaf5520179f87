/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { MessageAttributes } from './message-attributes';

/** How to count the bytes of a text. */
export type Measure = (text: unknown) => number;

/** Bytes as UTF-8; 0 for what is no text. */
export const exactly: Measure = (text) => (typeof text === 'string' ? Buffer.byteLength(text) : 0);

/** Never fewer than that, and known without reading the text. */
export const atMost: Measure = (text) => (typeof text === 'string' ? 3 * text.length : 0);

/** A message of SQS or of SNS, as far as its size depends on it. */
export interface Sized {
  readonly MessageBody?: unknown;
  readonly Message?: unknown;
  readonly Subject?: unknown;
  readonly MessageAttributes?: unknown;
}

/** Bytes that a message counts toward the service's limit: its body, and names, types and values of its attributes. */
export function messageSize(message: Sized, attributes: MessageAttributes | undefined, measure: Measure): number {
  return bodySize(message, measure) + attributesSize(attributes, measure);
}

/** Bytes of what a message says: the body in SQS; message and subject in SNS. */
export function bodySize({ MessageBody, Message, Subject }: Sized, measure: Measure): number {
  return measure(MessageBody) + measure(Message) + measure(Subject);
}

export function attributesSize(attributes: MessageAttributes | undefined, measure: Measure): number {
  if (attributes === undefined) return 0;
  let bytes = 0;
  // Those that count toward the limit of attributes as well.
  for (const name in attributes) {
    const attribute = attributes[name];
    if (attribute === undefined || attribute === null) continue;
    const { DataType, StringValue, BinaryValue } = attribute;
    // Clients take a text for bytes, too.
    bytes +=
      measure(name) + measure(DataType) + measure(StringValue) + (BinaryValue?.byteLength ?? measure(BinaryValue));
  }
  return bytes;
}

/** The bytes of a batch, whose limit is that of one message; counted exactly only for a batch that may come near it. */
export class BatchSize {
  private readonly added: MessageAttributes[] = [];
  private own: number | undefined;
  private bound: number | undefined;

  constructor(private readonly entries: readonly Sized[]) {}

  get atMost(): number {
    this.bound ??= this.sum(atMost);
    return this.bound;
  }

  get exact(): number {
    this.own ??= this.sum(exactly);
    return this.added.reduce((bytes, attributes) => bytes + attributesSize(attributes, exactly), this.own);
  }

  add(attributes: MessageAttributes): void {
    this.added.push(attributes);
    this.bound = this.atMost + attributesSize(attributes, atMost);
  }

  private sum(measure: Measure): number {
    let bytes = 0;
    for (const entry of this.entries) {
      bytes += messageSize(entry, (entry.MessageAttributes ?? undefined) as MessageAttributes | undefined, measure);
    }
    return bytes;
  }
}
