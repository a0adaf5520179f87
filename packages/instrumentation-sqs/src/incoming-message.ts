/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { propagation } from '@opentelemetry/api';
import { type MessageFacts, type MessageReader, type RemoteContext, semconv } from '@otel-messaging/messaging-common';
import type { SqsOptions } from './config';
import { DATADOG, datadogFields, type Fields, fieldsInBody } from './envelope';
import { attributeNames, attributeText, type MessageAttributes } from './message-attributes';
import { exactly } from './message-size';
import { receivedAs, type SystemAttributes } from './received';
import { parseTraceHeader, TRACE_HEADER } from './x-ray';

/** A message as `ReceiveMessage` gives it. */
export interface IncomingMessage {
  readonly MessageId?: string;
  readonly ReceiptHandle?: string;
  readonly MD5OfBody?: string;
  readonly Body?: string;
  readonly Attributes?: SystemAttributes;
  readonly MessageAttributes?: MessageAttributes;
  readonly MD5OfMessageAttributes?: string;
}

type ReaderOptions = Pick<SqsOptions, 'xrayUnsampled' | 'maxEnvelopeLength'> & { readonly captureBodySize: boolean };

/** Reads received messages: their attributes, envelopes around them, and the X-Ray header. */
export class IncomingReader implements MessageReader<IncomingMessage> {
  /** The last message whose context was looked for outside of its attributes, and what was there: a body is parsed once. */
  private searched: WeakRef<object> | undefined;
  private found: Fields | undefined;

  constructor(private readonly options: ReaderOptions) {}

  get(message: IncomingMessage, field: string): string | undefined {
    const attributes = attributesOf(message);
    const text = attributes && attributeText(attributes, field);
    if (text !== undefined || hasContext(attributes)) return text;
    const fields = this.otherFields(message, attributes);
    const name = field.toLowerCase();
    return fields && Object.hasOwn(fields, name) ? fields[name] : undefined;
  }

  keys(message: IncomingMessage): string[] {
    // What other vendors carry is no header to record.
    return attributeNames(message.MessageAttributes).filter((name) => name !== DATADOG);
  }

  /** As with most messages: attributes are taken whole, and this is the only one. */
  hasOnly(message: IncomingMessage, field: string): boolean {
    const attributes = attributesOf(message);
    if (typeof attributes !== 'object' || attributes === null) return false;
    for (const name in attributes) if (name !== field) return false;
    return Object.hasOwn(attributes, field);
  }

  describe(message: IncomingMessage): MessageFacts {
    const received = receivedAs(message);
    const system = received?.system ?? message.Attributes;
    const receives = Number(system?.['ApproximateReceiveCount']);
    const source = system?.['DeadLetterQueueSourceArn'];
    return {
      id: message.MessageId,
      retryCount: receives > 1 ? receives - 1 : undefined,
      bodySize: this.options.captureBodySize ? exactly(message.Body) : undefined,
      attributes:
        typeof source === 'string'
          ? { [semconv.ATTR_MESSAGING_DEAD_LETTER_SOURCE]: source.slice(source.lastIndexOf(':') + 1) }
          : undefined,
    };
  }

  sentAtMs(message: IncomingMessage): number | undefined {
    return natural(systemOf(message)?.['SentTimestamp']) || undefined;
  }

  otherContext(message: IncomingMessage): RemoteContext | undefined {
    const header = systemOf(message)?.[TRACE_HEADER];
    const spanContext = typeof header === 'string' ? parseTraceHeader(header) : undefined;
    if (spanContext === undefined) return undefined;
    // Amazon's services write 0 for requests that X-Ray did not choose, which must not silence the traces of others.
    return { spanContext, linkOnly: spanContext.traceFlags === 0 && this.options.xrayUnsampled === 'link' };
  }

  private otherFields(message: IncomingMessage, attributes: MessageAttributes | undefined): Fields | undefined {
    if (this.searched?.deref() === message) return this.found;
    const inBody = fieldsInBody(message.Body, this.options.maxEnvelopeLength);
    const found = inBody ?? (attributes && datadogFields(attributeText(attributes, DATADOG)));
    if (found === undefined) return undefined; // found out again as quickly
    this.searched = new WeakRef(message);
    this.found = found;
    return found;
  }
}

function attributesOf(message: IncomingMessage): MessageAttributes | undefined {
  return receivedAs(message)?.attributes ?? message.MessageAttributes;
}

function systemOf(message: IncomingMessage): SystemAttributes | undefined {
  return receivedAs(message)?.system ?? message.Attributes;
}

/** Whether attributes are a carrier, to be taken whole: no baggage from an envelope to a context from attributes. */
function hasContext(attributes: MessageAttributes | undefined): boolean {
  if (attributes === undefined) return false;
  if (attributeText(attributes, 'traceparent') !== undefined) return true;
  return propagation.fields().some((field) => field !== 'baggage' && attributeText(attributes, field) !== undefined);
}

/** A number in decimal digits, as services write times, in a fifth of the time of `Number`. */
function natural(text: unknown): number {
  if (typeof text !== 'string' || text.length > 15) return Number(text);
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return Number(text);
    value = value * 10 + digit;
  }
  return value;
}
