/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { MessageFacts, MessageWriter, OutgoingContext } from '@otel-messaging/messaging-common';
import { SERVICE_LIMITS_BYTES, type SqsOptions } from './config';
import { copyOf, copyWithout, type Writable } from './copies';
import {
  attributeNames,
  attributesSize,
  attributeText,
  type MessageAttribute,
  type MessageAttributes,
  textSize,
} from './message-attributes';
import { formatTraceHeader, TRACE_HEADER } from './x-ray';

/** What `SendMessage` and each entry of `SendMessageBatch` have in common. */
export interface OutgoingMessage {
  readonly MessageBody?: unknown;
  readonly MessageAttributes?: unknown;
  readonly MessageSystemAttributes?: unknown;
}

type WriterOptions = Pick<SqsOptions, 'awsTraceHeader' | 'maxMessageBytes'> & { readonly captureBodySize: boolean };

/** The service's limit of attributes per message. */
const MAX_ATTRIBUTES = 10;

/**
 * Writes contexts into messages that are to be sent, as far as they have room: all fields, else without baggage, without
 * trace state, `traceparent` alone; and the X-Ray header, which counts toward no limit.
 */
export class OutgoingWriter implements MessageWriter<OutgoingMessage> {
  /**
   * @param refused told of each message that can carry nothing
   * @param batch for the entries of a batch, whose limit of bytes is that of one message
   */
  constructor(
    private readonly options: WriterOptions,
    private readonly refused: () => void,
    private readonly batch?: { bytes: number },
  ) {}

  get answersPerMessage(): boolean {
    return this.batch !== undefined;
  }

  get(message: OutgoingMessage, field: string): string | undefined {
    return attributeText(message.MessageAttributes, field.toLowerCase());
  }

  keys(message: OutgoingMessage): string[] {
    return attributeNames(message.MessageAttributes);
  }

  describe(message: OutgoingMessage): MessageFacts {
    return this.options.captureBodySize ? { bodySize: textSize(message.MessageBody) } : {};
  }

  canCarry(message: OutgoingMessage): boolean {
    const canCarry = isWritable(message) && this.hasRoom(message);
    if (!canCarry) this.refused();
    return canCarry;
  }

  write(message: OutgoingMessage, { fields, stale, spanContext }: OutgoingContext): OutgoingMessage | undefined {
    const { MessageAttributes: attributes, MessageSystemAttributes: system } = message as WritableMessage;
    const kept = attributes ? without(attributes, stale, fields) : undefined;
    const rung = this.fitting(message, kept, fields);
    const hasHeader = this.headerIsFree(message, rung !== undefined);
    if (rung === undefined && !hasHeader) return undefined;
    const copy: Writable<WritableMessage> = copyOf(message as WritableMessage);
    if (rung !== undefined) {
      copy.MessageAttributes = kept === undefined ? rung : Object.assign({}, kept, rung);
      if (this.batch !== undefined)
        this.batch.bytes += attributesSize(copy.MessageAttributes) - attributesSize(attributes ?? undefined);
    } else if (kept !== attributes) {
      copy.MessageAttributes = kept; // fields of an older context must not stay beside a header that tells another
    }
    if (hasHeader) {
      const header = stringAttribute(formatTraceHeader(spanContext));
      copy.MessageSystemAttributes = system
        ? Object.assign({}, system, { [TRACE_HEADER]: header })
        : { AWSTraceHeader: header };
    }
    return copy;
  }

  private hasRoom(message: WritableMessage): boolean {
    if (this.headerIsFree(message, false)) return propagation.fields().length > 0;
    // What a propagator writes is known only from asking it; this one context is never sent.
    const fields: Record<string, string> = {};
    propagation.inject(trace.setSpanContext(ROOT_CONTEXT, ANY_SPAN_CONTEXT), fields);
    const names = Object.keys(fields);
    if (names.length === 0) return false;
    const { MessageAttributes: attributes } = message;
    return this.fitting(message, attributes ? without(attributes, W3C, fields) : undefined, fields) !== undefined;
  }

  /** The most of the fields that fit beside the attributes kept, as attributes. */
  private fitting(
    message: OutgoingMessage,
    kept: MessageAttributes | undefined,
    fields: OutgoingContext['fields'],
  ): MessageAttributes | undefined {
    const free = kept === undefined ? MAX_ATTRIBUTES : MAX_ATTRIBUTES - Object.keys(kept).length;
    const names = Object.keys(fields);
    if (names.length === 0 || free < 1) return undefined;
    const used = textSize(message.MessageBody) + attributesSize(kept);
    for (const rung of rungs(names)) {
      const attributes = rung.length > free ? undefined : attributesOf(rung, fields);
      if (attributes === undefined) continue;
      const more = attributesSize(attributes);
      if (this.fits(used, more) && (this.batch === undefined || this.fits(this.batch.bytes, more))) return attributes;
    }
    return undefined;
  }

  /**
   * Whether so many bytes more cross none of the limits. What the queue's own limit is, only the service knows; the lower
   * of the two common ones is respected too, unless the message is beyond it already.
   */
  private fits(used: number, more: number): boolean {
    const [older, newer] = SERVICE_LIMITS_BYTES;
    const all = used + more;
    return all <= this.options.maxMessageBytes && all <= newer && (all <= older || used > older);
  }

  private headerIsFree({ MessageSystemAttributes: system }: OutgoingMessage, hasAttributes: boolean): boolean {
    const { awsTraceHeader } = this.options;
    if (awsTraceHeader === 'off' || (awsTraceHeader === 'fallback' && hasAttributes)) return false;
    return (system as Record<string, unknown> | null | undefined)?.[TRACE_HEADER] === undefined;
  }
}

interface WritableMessage extends OutgoingMessage {
  readonly MessageAttributes?: MessageAttributes;
  readonly MessageSystemAttributes?: MessageAttributes;
}

const W3C = ['traceparent', 'tracestate'];
const ANY_SPAN_CONTEXT = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };

/** Fields to try in turn. No partial carriers: a context is whole without baggage and trace state, and no smaller. */
function rungs(names: readonly string[]): readonly (readonly string[])[] {
  if (names.length === 1) return [names];
  const withoutBaggage = names.filter((name) => name !== 'baggage');
  return [
    names,
    withoutBaggage,
    withoutBaggage.filter((name) => name !== 'tracestate'),
    names.filter((name) => name === 'traceparent'),
  ];
}

/** Fields as attributes; undefined if there are none, or the service would refuse the name or value of one. */
function attributesOf(names: readonly string[], fields: OutgoingContext['fields']): MessageAttributes | undefined {
  if (names.length === 0) return undefined;
  const attributes: Record<string, MessageAttribute> = {};
  for (const name of names) {
    const value = fields[name] as string;
    if (!isSendable(name, value)) return undefined;
    attributes[name] = stringAttribute(value);
  }
  return attributes;
}

function isSendable(name: string, value: string): boolean {
  if (name === 'traceparent') return value !== '';
  return value !== '' && !UNSENDABLE.test(value) && NAME.test(name) && !RESERVED.test(name);
}

/** @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
const NAME = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;
const RESERVED = /^(aws|amazon)\./i;
const UNSENDABLE = /[^\t\n\r\u0020-\uFFFD]/;

function isWritable(message: OutgoingMessage): message is WritableMessage {
  return isMap(message.MessageAttributes) && isMap(message.MessageSystemAttributes);
}

function isMap(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'object' && !Array.isArray(value));
}

/** The attributes less those of these names, in any letter case; the same object if there are none. */
function without(
  attributes: MessageAttributes,
  stale: readonly string[],
  fields: OutgoingContext['fields'],
): MessageAttributes {
  const names = new Set([...stale, ...Object.keys(fields)].map((name) => name.toLowerCase()));
  const isStale = (name: string) => names.has(name.toLowerCase());
  return Object.keys(attributes).some(isStale) ? copyWithout(attributes, isStale) : attributes;
}

function stringAttribute(text: string): MessageAttribute {
  return { DataType: 'String', StringValue: text };
}
