/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { MessageFacts, MessageReader, RemoteContext } from '@otel-messaging/messaging-common';
import type { IncomingMessage, IncomingReader } from './incoming-message';
import { attributeText, type MessageAttribute } from './message-attributes';
import type { SystemAttributes } from './received';

/**
 * A message in the event that a Lambda function gets.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
 */
export interface LambdaRecord {
  readonly messageId?: string;
  readonly receiptHandle?: string;
  readonly body?: string;
  readonly attributes?: SystemAttributes;
  readonly messageAttributes?: Readonly<Record<string, RecordAttribute>>;
  readonly eventSource?: string;
  readonly eventSourceARN?: string;
}

interface RecordAttribute {
  readonly dataType?: string;
  readonly stringValue?: string;
  /** Base64. */
  readonly binaryValue?: string;
}

/** The records of an SQS event; undefined for any other event. */
export function recordsOf(event: unknown): LambdaRecord[] | undefined {
  const records = (event as { readonly Records?: unknown } | null | undefined)?.Records;
  if (!Array.isArray(records) || records.length === 0) return undefined;
  return isRecord(records[0]) ? records : undefined;
}

/** Whether this is a record of an SQS event, or a copy of one. */
export function isRecord(message: unknown): message is LambdaRecord {
  return (message as LambdaRecord | null | undefined)?.eventSource === 'aws:sqs';
}

/** The records as they came, whatever the application does to its event. By index: walking them may be to handle them. */
export function asDelivered(records: readonly LambdaRecord[]): LambdaRecord[] {
  return Array.from({ length: records.length }, (_, i) => records[i] as LambdaRecord);
}

/** The URL of the queue that a record came from. */
export function queueUrlOf({ eventSourceARN }: LambdaRecord): string | undefined {
  const [, partition, , region, account, name] = String(eventSourceARN).split(':');
  if (!region || !account || !name) return undefined;
  return `https://sqs.${region}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}/${account}/${name}`;
}

/** Reads records as messages of `ReceiveMessage` are read, whose names are written in another manner. */
export class LambdaReader implements MessageReader<LambdaRecord> {
  /** Made of records whose context is in no attribute; most have one. */
  private messages: WeakMap<LambdaRecord, IncomingMessage> | undefined;

  constructor(private readonly reader: IncomingReader) {}

  get(record: LambdaRecord, field: string): string | undefined {
    const { messageAttributes: attributes } = record;
    const text = textOf(attributes, field);
    // Attributes are a carrier, to be taken whole; an envelope is looked for where they are none.
    if (text !== undefined || textOf(attributes, 'traceparent') !== undefined) return text;
    return this.reader.get(this.messageOf(record), field);
  }

  keys(record: LambdaRecord): string[] {
    return this.reader.keys(this.messageOf(record));
  }

  describe({ messageId, body, attributes }: LambdaRecord): MessageFacts {
    return this.reader.describe({ MessageId: messageId, Body: body, Attributes: attributes });
  }

  sentAtMs({ attributes }: LambdaRecord): number | undefined {
    return Number(attributes?.['SentTimestamp']) || undefined;
  }

  otherContext({ attributes }: LambdaRecord): RemoteContext | undefined {
    return this.reader.otherContext({ Attributes: attributes });
  }

  private messageOf(record: LambdaRecord): IncomingMessage {
    this.messages ??= new WeakMap();
    const known = this.messages.get(record);
    if (known !== undefined) return known;
    const { messageId, body, attributes, messageAttributes } = record;
    const message: IncomingMessage = {
      MessageId: messageId,
      Body: body,
      Attributes: attributes,
      MessageAttributes: messageAttributes && attributesOf(messageAttributes),
    };
    this.messages.set(record, message);
    return message;
  }
}

type RecordAttributes = Readonly<Record<string, RecordAttribute>>;

/** The text of an attribute; its name in any letter case. */
function textOf(attributes: RecordAttributes | undefined, name: string): string | undefined {
  if (typeof attributes !== 'object' || attributes === null) return undefined;
  const { stringValue } = attributes[name] ?? NO_ATTRIBUTE;
  if (typeof stringValue === 'string' && stringValue !== '') return stringValue;
  for (const key in attributes) {
    if (key.length !== name.length || key.toLowerCase() !== name) continue;
    const attribute = converted(attributes[key]);
    return attribute && attributeText({ [name]: attribute }, name);
  }
  return undefined;
}

const NO_ATTRIBUTE: RecordAttribute = {};

function attributesOf(attributes: RecordAttributes): Record<string, MessageAttribute> {
  const result: Record<string, MessageAttribute> = {};
  for (const name of Object.keys(attributes)) {
    const attribute = converted(attributes[name]);
    if (attribute !== undefined) result[name] = attribute;
  }
  return result;
}

function converted(attribute: RecordAttribute | undefined): MessageAttribute | undefined {
  const { dataType, stringValue, binaryValue } = attribute ?? NO_ATTRIBUTE;
  if (typeof stringValue === 'string') return { DataType: dataType, StringValue: stringValue };
  if (typeof binaryValue !== 'string') return undefined;
  return { DataType: dataType, BinaryValue: Buffer.from(binaryValue, 'base64') };
}
