/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { propagation } from '@opentelemetry/api';
import { type MessageFacts, type MessageReader, type RemoteContext, semconv } from '@otel-messaging/messaging-common';
import type { SqsOptions } from './config';
import { type Received, receivedAs } from './deliveries';
import { DATADOG, datadogFields, type Fields, fieldsInBody } from './envelope';
import { attributeNames, attributeText, textSize } from './message-attributes';
import { parseTraceHeader, TRACE_HEADER } from './x-ray';

/** A message as `ReceiveMessage` gives it. */
export interface IncomingMessage {
  MessageId?: string;
  ReceiptHandle?: string;
  Body?: string;
  Attributes?: Record<string, string | undefined>;
  MessageAttributes?: Record<string, object>;
  MD5OfMessageAttributes?: string;
}

type ReaderOptions = Pick<SqsOptions, 'xrayUnsampled' | 'maxEnvelopeLength'> & { readonly captureBodySize: boolean };

/** Reads received messages: their attributes, envelopes around them, and the X-Ray header. */
export class IncomingReader implements MessageReader<IncomingMessage> {
  /** Contexts found outside of W3C attributes, so that a body is parsed once. */
  private readonly found = new WeakMap<object, Fields | false>();

  constructor(private readonly options: ReaderOptions) {}

  get(message: IncomingMessage, field: string): string | undefined {
    const name = field.toLowerCase();
    const text = attributeText(message.MessageAttributes, name);
    if (text !== undefined || hasContext(message.MessageAttributes)) return text;
    const fields = this.otherFields(message);
    return fields && Object.hasOwn(fields, name) ? fields[name] : undefined;
  }

  keys(message: IncomingMessage): string[] {
    // What other vendors carry is no header to record.
    return attributeNames(message.MessageAttributes).filter((name) => name !== DATADOG);
  }

  describe(message: IncomingMessage): MessageFacts {
    const { system = message.Attributes, requestId } = receivedAs(message) ?? UNKNOWN;
    const receives = Number(system?.['ApproximateReceiveCount']);
    const source = system?.['DeadLetterQueueSourceArn'];
    const attributes: Record<string, string> = {};
    if (requestId !== undefined) attributes[semconv.ATTR_AWS_REQUEST_ID] = requestId;
    if (typeof source === 'string') {
      attributes[semconv.ATTR_MESSAGING_DEAD_LETTER_SOURCE] = source.slice(source.lastIndexOf(':') + 1);
    }
    return {
      id: message.MessageId,
      retryCount: receives > 1 ? receives - 1 : undefined,
      bodySize: this.options.captureBodySize ? textSize(message.Body) : undefined,
      attributes,
    };
  }

  sentAtMs(message: IncomingMessage): number | undefined {
    return Number(message.Attributes?.['SentTimestamp']) || undefined;
  }

  otherContext(message: IncomingMessage): RemoteContext | undefined {
    const header = message.Attributes?.[TRACE_HEADER];
    const spanContext = typeof header === 'string' ? parseTraceHeader(header) : undefined;
    if (spanContext === undefined) return undefined;
    // Amazon's services write 0 for requests that X-Ray did not choose, which must not silence the traces of others.
    return { spanContext, linkOnly: spanContext.traceFlags === 0 && this.options.xrayUnsampled === 'link' };
  }

  private otherFields(message: IncomingMessage): Fields | undefined {
    const known = this.found.get(message);
    if (known !== undefined) return known || undefined;
    const fields =
      fieldsInBody(message.Body, this.options.maxEnvelopeLength) ??
      datadogFields(attributeText(message.MessageAttributes, DATADOG));
    this.found.set(message, fields ?? false);
    return fields;
  }
}

const UNKNOWN: Partial<Received> = {};

/** Whether attributes are a carrier, to be taken whole: no baggage from an envelope to a context from attributes. */
function hasContext(attributes: unknown): boolean {
  if (attributeText(attributes, 'traceparent') !== undefined) return true;
  return propagation.fields().some((field) => field !== 'baggage' && attributeText(attributes, field) !== undefined);
}
