/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { MessageFacts, MessageWriter, OutgoingContext } from '@otel-messaging/messaging-common';
import { SERVICE_LIMITS_BYTES, type SqsOptions } from './config';
import { copyWith } from './copies';
import { attributeNames, attributesSize, attributeText, type MessageAttributes, textSize } from './message-attributes';
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
    const { MessageAttributes: attributes = {}, MessageSystemAttributes: system } = message as WritableMessage;
    const kept = without(attributes, [...stale, ...Object.keys(fields)]);
    const rung = this.fitting(message, kept, fields);
    const header = this.headerIsFree(message, rung !== undefined);
    if (rung === undefined && !header) return undefined;
    if (rung !== undefined && this.batch !== undefined) {
      this.batch.bytes += attributesSize(rung) + attributesSize(kept) - attributesSize(attributes ?? {});
    }
    return copyWith(message, {
      // Fields of an older context must not stay beside a header that tells another.
      ...((rung !== undefined || Object.keys(kept).length < Object.keys(attributes ?? {}).length) && {
        MessageAttributes: { ...kept, ...rung },
      }),
      ...(header && {
        MessageSystemAttributes: { ...system, [TRACE_HEADER]: stringAttribute(formatTraceHeader(spanContext)) },
      }),
    });
  }

  private hasRoom(message: WritableMessage): boolean {
    if (this.headerIsFree(message, false)) return propagation.fields().length > 0;
    // What a propagator writes is known only from asking it; this one context is never sent.
    const fields: Record<string, string> = {};
    propagation.inject(trace.setSpanContext(ROOT_CONTEXT, ANY_SPAN_CONTEXT), fields);
    const names = Object.keys(fields);
    if (names.length === 0) return false;
    return this.fitting(message, without(message.MessageAttributes ?? {}, [...W3C, ...names]), fields) !== undefined;
  }

  /** The most of the fields that fit beside the attributes kept, as attributes. */
  private fitting(message: OutgoingMessage, kept: MessageAttributes, fields: OutgoingContext['fields']) {
    const names = Object.keys(fields).filter((name) => fields[name] !== '');
    const free = MAX_ATTRIBUTES - Object.keys(kept).length;
    if (names.length === 0 || free < 1) return undefined;
    const used = textSize(message.MessageBody) + attributesSize(kept);
    for (const rung of rungs(names)) {
      if (rung.length === 0 || rung.length > free || !rung.every((name) => isSendable(name, fields[name] as string))) {
        continue;
      }
      const attributes = Object.fromEntries(rung.map((name) => [name, stringAttribute(fields[name] as string)]));
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
    if (used + more > this.options.maxMessageBytes) return false;
    return SERVICE_LIMITS_BYTES.every((limit) => used > limit || used + more <= limit);
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

/** Whether the service takes an attribute of this name and value. */
function isSendable(name: string, value: string): boolean {
  return NAME.test(name) && !RESERVED.test(name) && !UNSENDABLE.test(value);
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

/** The attributes less those of these names, in any letter case. */
function without(attributes: MessageAttributes | null, names: readonly string[]): MessageAttributes {
  const kept: Record<string, MessageAttributes[string]> = {};
  if (attributes === null) return kept;
  const lowerCased = names.map((name) => name.toLowerCase());
  for (const name of Object.keys(attributes)) {
    if (!lowerCased.includes(name.toLowerCase())) kept[name] = attributes[name] as MessageAttributes[string];
  }
  return kept;
}

function stringAttribute(text: string) {
  return { DataType: 'String', StringValue: text };
}
