/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { MessageFacts, MessageReader, MessageWriter, OutgoingContext } from '@otel-messaging/messaging-common';
import { semconv } from '@otel-messaging/messaging-common';
import type { AmqpMessage, AmqpProperties } from './amqplib';
import { deadLetterOf, deliveriesBefore } from './dead-letter';
import { headerSize, roomForHeaders } from './header-table';

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
    const tag = message.fields?.deliveryTag;
    const deadLetter = deadLetterOf(message, this.queue);
    return {
      ...commonFacts(message.properties, message.content),
      retryCount: deliveriesBefore(message),
      attributes: {
        [semconv.ATTR_RABBITMQ_MESSAGE_DELIVERY_TAG]: typeof tag === 'number' ? tag : undefined,
        [semconv.ATTR_MESSAGING_DEAD_LETTER_SOURCE]: deadLetter?.source,
        [semconv.ATTR_MESSAGING_DEAD_LETTER_REASON]: deadLetter?.reason,
      },
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
  describe: ({ fields, properties, content }) => ({
    ...commonFacts(properties, content),
    attributes: {
      [semconv.ATTR_RABBITMQ_MESSAGE_DELIVERY_TAG]: typeof fields?.deliveryTag === 'number' ? fields.deliveryTag : 0,
    },
  }),
};

/** The content and options of one publish. */
export class OutgoingMessage {
  private knownRoom: number | undefined;

  constructor(
    readonly content: unknown,
    /** The application's options, or a copy that carries a context. */
    readonly properties: AmqpProperties | undefined,
    private readonly frameMax: number,
  ) {}

  /** Bytes that its header table can take. */
  get room(): number {
    this.knownRoom ??= roomForHeaders(this.properties, this.frameMax);
    return this.knownRoom;
  }

  withHeaders(headers: object): OutgoingMessage {
    return new OutgoingMessage(this.content, copyWith(this.properties, headers), this.frameMax);
  }
}

/** Reads and writes messages that are about to be published. */
export const outgoingMessages: MessageWriter<OutgoingMessage> = {
  get: (message, field) => headerText(message.properties?.headers, field),
  keys: (message) => headerNames(message.properties?.headers),
  describe: ({ properties, content }) => commonFacts(properties, content),
  canCarry: (message) => isTable(message.properties?.headers) && message.room >= SMALLEST_CONTEXT,
  write(message, outgoing) {
    const fields = fitting(outgoing.fields, message.room);
    if (fields === undefined) return undefined;
    return message.withHeaders(carrying(message.properties?.headers as object | null | undefined, fields, outgoing));
  },
};

/** Whatever else an application gives as headers meets amqplib's own error. */
function isTable(headers: unknown): boolean {
  return headers === undefined || typeof headers === 'object';
}

/** All fields, or as many as there is room for. */
function fitting(fields: Readonly<Record<string, string>>, room: number): Readonly<Record<string, string>> | undefined {
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

/**
 * A header table on top of the application's, which stays as it is. Inherited entries are sent like own ones, undefined
 * ones are not: so nothing is copied, a key like `__proto__` keeps its meaning, and stale fields are hidden.
 */
function carrying(
  headers: object | null | undefined,
  fields: Readonly<Record<string, string>>,
  { stale }: OutgoingContext,
): object {
  if (headers === undefined || headers === null) return fields;
  const hidden: Record<string, undefined> = {};
  for (const name in headers) {
    if (stale.includes(name.toLowerCase())) hidden[name] = undefined;
  }
  return { __proto__: headers, ...hidden, ...fields };
}

/** What amqplib reads off the options of a publish. */
const OPTIONS = [
  'CC',
  'BCC',
  'persistent',
  'deliveryMode',
  'mandatory',
  'contentType',
  'contentEncoding',
  'priority',
  'correlationId',
  'replyTo',
  'expiration',
  'messageId',
  'timestamp',
  'type',
  'userId',
  'appId',
];

function copyWith(options: AmqpProperties | undefined, headers: object): AmqpProperties {
  if (options === undefined) return { headers };
  const prototype = Object.getPrototypeOf(options);
  if (prototype === Object.prototype || prototype === null) return { ...options, headers };
  // An instance of some class, or an object with defaults below it: a mere copy would lose what it inherits.
  const copy: Record<string, unknown> = { ...options, headers };
  for (const name of OPTIONS) copy[name] = options[name];
  return copy;
}

function commonFacts(properties: AmqpProperties | undefined, content: unknown): MessageFacts {
  return {
    id: textProperty(properties?.messageId),
    conversationId: textProperty(properties?.correlationId),
    bodySize: Buffer.isBuffer(content) ? content.length : undefined,
  };
}

function textProperty(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The last entry of that name, in any letter case, that has a text. */
function headerText(headers: unknown, field: string): string | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined;
  const exact = textOf((headers as Record<string, unknown>)[field]);
  if (exact !== undefined) return exact;
  let found: string | undefined;
  for (const name in headers) {
    if (name.length !== field.length || name === field || name.toLowerCase() !== field.toLowerCase()) continue;
    found = textOf((headers as Record<string, unknown>)[name]) ?? found;
  }
  return found;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (Buffer.isBuffer(value)) return value.toString('utf8');
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

function headerNames(headers: unknown): string[] {
  return typeof headers === 'object' && headers !== null ? Object.keys(headers) : [];
}
