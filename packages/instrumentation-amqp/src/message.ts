/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes } from '@opentelemetry/api';
import type { MessageFacts, MessageReader, MessageWriter, OutgoingContext } from '@otel-messaging/messaging-common';
import { semconv } from '@otel-messaging/messaging-common';
import type { AmqpMessage, AmqpProperties } from './amqplib';
import { historyOf } from './dead-letter';
import { headerSize, roomForHeaders } from './header-table';

const DELIVERY_TAG = semconv.ATTR_RABBITMQ_MESSAGE_DELIVERY_TAG;
/** Above this a timestamp counts milliseconds: as seconds it would be after the year 5000, as milliseconds it is 1973. */
const FIRST_MILLISECONDS = 1e11;
/** A `traceparent`, with its name. */
const SMALLEST_CONTEXT = 6 + 11 + 55;
/** What is shed first where there is no room for all. */
const SHED_FIRST = ['baggage', 'tracestate'];

/** Reads messages that were delivered from one queue. */
export class DeliveredMessages implements MessageReader<AmqpMessage> {
  /** @param queue empty if it is not known */
  constructor(private readonly queue: string) {}

  get(message: AmqpMessage, field: string): string | undefined {
    return headerText(message.properties?.headers, field);
  }

  keys(message: AmqpMessage): string[] {
    return headerNames(message.properties?.headers);
  }

  describe(message: AmqpMessage): MessageFacts {
    const { fields, properties, content } = message;
    const attributes: Attributes = {};
    if (typeof fields?.deliveryTag === 'number') attributes[DELIVERY_TAG] = fields.deliveryTag;
    const { deliveries, deadLetter } = historyOf(message, this.queue);
    if (deadLetter !== undefined) {
      attributes[semconv.ATTR_MESSAGING_DEAD_LETTER_SOURCE] = deadLetter.source;
      attributes[semconv.ATTR_MESSAGING_DEAD_LETTER_REASON] = deadLetter.reason;
    }
    return {
      id: textProperty(properties?.messageId),
      conversationId: textProperty(properties?.correlationId),
      bodySize: sizeOf(content),
      retryCount: deliveries,
      attributes,
    };
  }

  /**
   * From the header of RabbitMQ's timestamp plugin (milliseconds), else from the `timestamp` property: seconds as the
   * protocol has it, or milliseconds as applications that set it to `Date.now()` write it.
   */
  sentAtMs(message: AmqpMessage): number | undefined {
    const headers = message.properties?.headers as Record<string, unknown> | null | undefined;
    const plugin = headers?.['timestamp_in_ms'];
    if (typeof plugin === 'number' && plugin > FIRST_MILLISECONDS) return plugin;
    const timestamp = message.properties?.timestamp;
    if (typeof timestamp !== 'number') return undefined;
    return timestamp > FIRST_MILLISECONDS ? timestamp : timestamp * 1000;
  }
}

/** Reads what a settlement names: a message, or no more of it than its delivery tag. */
export const settledMessages: MessageReader<AmqpMessage> = {
  get: (message, field) => headerText(message.properties?.headers, field),
  keys: (message) => headerNames(message.properties?.headers),
  describe: ({ fields, properties }) => ({
    id: textProperty(properties?.messageId),
    conversationId: textProperty(properties?.correlationId),
    attributes: typeof fields?.deliveryTag === 'number' ? { [DELIVERY_TAG]: fields.deliveryTag } : undefined,
  }),
};

/**
 * What one publish is about to send. The application's options go to amqplib as they are; what is to travel besides is
 * added to the table that amqplib makes of them.
 */
export class OutgoingMessage {
  private knownRoom: number | undefined;

  constructor(
    readonly content: unknown,
    /** The application's options. */
    readonly properties: AmqpProperties | undefined,
    private readonly frameMax: number,
    private readonly added?: OutgoingContext['fields'],
    private readonly stale?: readonly string[],
  ) {}

  /** Bytes that its header table can take. */
  get room(): number {
    this.knownRoom ??= roomForHeaders(this.properties, this.frameMax);
    return this.knownRoom;
  }

  /** Whether a context was added to it. */
  get isCarrying(): boolean {
    for (const _ in this.added) return true;
    return false;
  }

  carrying(fields: OutgoingContext['fields'], stale: readonly string[]): OutgoingMessage {
    return new OutgoingMessage(this.content, this.properties, this.frameMax, fields, stale);
  }

  /** The same, with as much of its context as there is room for where frames are not longer than that. */
  within(frameMax: number): OutgoingMessage {
    if (this.added === undefined || frameMax >= this.frameMax) return this;
    const fitting = fieldsThatFit(this.added, roomForHeaders(this.properties, frameMax));
    return new OutgoingMessage(this.content, this.properties, frameMax, fitting, this.stale);
  }

  /**
   * Adds the context to the table that amqplib has made for this message, on top of the application's. Inherited entries
   * are sent like own ones, and undefined ones are not: so stale fields are hidden where they are. What amqplib may refuse
   * in their place is left for it to see. An assignment is quicker, but may be caught by the application's table, which ours
   * inherits from (frozen, or a proxy that stores it).
   */
  addTo(table: Record<string, unknown>): void {
    const { added, stale } = this;
    if (added === undefined) return;
    const headers = this.properties?.headers;
    if (headers !== undefined && headers !== null) {
      let hidden: string[] | undefined;
      for (const name in table) {
        if (!stale?.includes(name.toLowerCase())) continue;
        if (!isSendable(table[name])) return;
        hidden ??= [];
        hidden.push(name);
      }
      for (const name of hidden ?? []) define(table, name, undefined);
    }
    const isOwn = headers === undefined || headers === null;
    for (const name in added) {
      if (isOwn) table[name] = added[name];
      else define(table, name, added[name]);
    }
  }
}

/** Whether amqplib sends it in any case; of lists, tables and numbers that depends. */
function isSendable(value: unknown): boolean {
  return value === undefined || value === null || typeof value === 'string' || Buffer.isBuffer(value);
}

function define(table: object, name: string, value: string | undefined): void {
  Object.defineProperty(table, name, { value, enumerable: true, configurable: true, writable: true });
}

/** Reads messages that are about to be published, and notes what is to travel with them. */
export const outgoingMessages: MessageWriter<OutgoingMessage> = {
  get: (message, field) => headerText(message.properties?.headers, field),
  keys: (message) => headerNames(message.properties?.headers),
  describe: ({ properties, content }) => ({
    id: textProperty(properties?.messageId),
    conversationId: textProperty(properties?.correlationId),
    bodySize: sizeOf(content),
  }),
  canCarry: (message) => isTable(message.properties?.headers) && message.room >= SMALLEST_CONTEXT,
  write(message, { fields, stale }) {
    const fitting = fieldsThatFit(fields, message.room);
    return fitting && message.carrying(fitting, stale);
  },
};

/** Whatever else an application gives as headers meets amqplib's own error. */
function isTable(headers: unknown): boolean {
  return headers === undefined || typeof headers === 'object';
}

/** All fields, or as many as there is room for. */
function fieldsThatFit(fields: OutgoingContext['fields'], room: number): OutgoingContext['fields'] | undefined {
  let size = 0;
  for (const name in fields) size += headerSize(name, fields[name] as string);
  if (size <= room) return fields;
  const fewer = { ...fields };
  for (const name of SHED_FIRST) {
    if (fewer[name] === undefined) continue;
    size -= headerSize(name, fewer[name]);
    delete fewer[name];
    if (size <= room) return fewer;
  }
  return undefined;
}

function sizeOf(content: unknown): number | undefined {
  return Buffer.isBuffer(content) ? content.length : undefined;
}

function textProperty(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The last entry of that name, in any letter case, that has a text. */
function headerText(headers: unknown, field: string): string | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined;
  const value = (headers as Record<string, unknown>)[field];
  if (typeof value === 'string') return value;
  const exact = textOf(value);
  if (exact !== undefined) return exact;
  let found: string | undefined;
  for (const name in headers) {
    if (name.length !== field.length || name === field || name.toLowerCase() !== field.toLowerCase()) continue;
    found = textOf((headers as Record<string, unknown>)[name]) ?? found;
  }
  return found;
}

function textOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string') return value;
  if (Buffer.isBuffer(value)) return value.toString('utf8');
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

function headerNames(headers: unknown): string[] {
  return typeof headers === 'object' && headers !== null ? Object.keys(headers) : [];
}
