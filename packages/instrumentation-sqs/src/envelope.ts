/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { attributeText, type MessageAttributes } from './message-attributes';

/** Fields that an envelope, or another vendor's attribute, carries in place of message attributes. */
export type Fields = Readonly<Record<string, string>>;

/** The attribute into which Datadog's tracers put all their fields as JSON; `traceparent` is among them. */
export const DATADOG = '_datadog';

/**
 * What the body of a message carries where a service has wrapped the producer's message: a notification of SNS (its
 * attributes), an event of EventBridge, or the one within the other.
 * @param maxLength a longer body is not looked at
 */
export function fieldsInBody(body: unknown, maxLength: number): Fields | undefined {
  if (typeof body !== 'string' || body.length > maxLength || !isEnvelope(body)) return undefined;
  const envelope = parseObject(body);
  if (envelope === undefined) return undefined;
  if (envelope['Type'] !== 'Notification') return fieldsOfEvent(envelope);
  return fieldsOfNotification(envelope);
}

/** What a Datadog tracer wrote. */
export function datadogFields(text: string | undefined): Fields | undefined {
  return text === undefined || text.length > MAX_FIELDS_LENGTH ? undefined : textsOf(parseObject(text));
}

/** @see https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html */
function fieldsOfNotification({ MessageAttributes, Message }: Record<string, unknown>): Fields | undefined {
  const attributes = unwrapped(MessageAttributes);
  const texts: Record<string, string> = {};
  for (const name of Object.keys(attributes)) {
    const text = attributeText(attributes, name);
    if (text !== undefined) texts[name.toLowerCase()] = text;
  }
  if (texts['traceparent'] !== undefined) return texts;
  const event = typeof Message === 'string' && isEnvelope(Message) ? parseObject(Message) : undefined;
  return (event && fieldsOfEvent(event)) ?? datadogFields(texts[DATADOG]) ?? texts;
}

/** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html */
function fieldsOfEvent(event: Record<string, unknown>): Fields | undefined {
  const { 'detail-type': type, detail } = event;
  if (typeof type !== 'string' || typeof detail !== 'object' || detail === null) return undefined;
  const own = textsOf(detail);
  if (own?.['traceparent'] !== undefined) return own;
  const datadog = (detail as Record<string, unknown>)[DATADOG];
  return typeof datadog === 'string' ? datadogFields(datadog) : textsOf(datadog);
}

/** Cheap enough for every body: those that pass are parsed. */
function isEnvelope(text: string): boolean {
  return /^\s*\{/.test(text) && (text.includes('"Notification"') || text.includes('"detail-type"'));
}

/** The attributes of a notification in the shape of a message's own. */
function unwrapped(attributes: unknown): MessageAttributes {
  const result: Record<string, { StringValue?: string; BinaryValue?: Uint8Array }> = {};
  if (typeof attributes !== 'object' || attributes === null) return result;
  for (const [name, attribute] of Object.entries(attributes)) {
    const { Type, Value } = (attribute ?? {}) as { Type?: unknown; Value?: unknown };
    if (typeof Value !== 'string') continue;
    result[name] = Type === 'Binary' ? { BinaryValue: Buffer.from(Value, 'base64') } : { StringValue: Value };
  }
  return result;
}

/** The texts among an object's properties, by lower-cased name. */
function textsOf(object: unknown): Fields | undefined {
  if (typeof object !== 'object' || object === null) return undefined;
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(object)) {
    if (typeof value === 'string' && value !== '') texts[name.toLowerCase()] = value;
  }
  return texts;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // a body that only looked like an envelope
  }
}

const MAX_FIELDS_LENGTH = 16_384;
