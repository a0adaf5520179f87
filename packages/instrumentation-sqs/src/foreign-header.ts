/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type BuiltRequest, hasForeignHeader, watchRequests } from './request-header';
import { TRACE_HEADER } from './x-ray';

/** The system attribute that we add; its class tells it from one of the application's. */
export class OwnTraceHeader {
  readonly DataType = 'String';
  constructor(readonly StringValue: string) {}
}

/**
 * Keeps an X-Ray header that the application, or the X-Ray SDK, puts on the request: the service would take our system
 * attribute in its place. Whether there is one shows only when the request is otherwise made, so that our attribute is
 * taken out of it again.
 */
export function keepForeignHeaders(client: unknown): void {
  watchRequests(client, (request, input) => {
    if (hasForeignHeader(request)) takeOut(request, input);
  });
}

function takeOut(request: BuiltRequest, input: unknown): void {
  const { body, headers } = request;
  if (!isOursIn(input)) return;
  const text = body instanceof Uint8Array ? textOf(body) : body;
  if (typeof text !== 'string') return;
  const without = text.startsWith('{') ? withoutInJson(text, input as Message & Batch) : withoutInQuery(text);
  request.body = body instanceof Uint8Array ? Buffer.from(without) : without;
  for (const name of Object.keys(headers)) {
    if (name.toLowerCase() === 'content-length') headers[name] = String(Buffer.byteLength(without));
  }
}

/** By its buffer: newer clients complain when their own kind of bytes is asked for a text. */
function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString();
}

interface Message {
  MessageSystemAttributes?: Record<string, unknown>;
}

interface Batch {
  Entries?: Message[];
}

function isOursIn(input: unknown): boolean {
  const { Entries } = (input ?? {}) as Batch;
  return isOurs(input as Message) || (Array.isArray(Entries) && Entries.some(isOurs));
}

function isOurs(message: Message | undefined | null): boolean {
  return message?.MessageSystemAttributes?.[TRACE_HEADER] instanceof OwnTraceHeader;
}

function withoutInJson(text: string, input: Message & Batch): string {
  const sent = JSON.parse(text) as Message & Batch;
  if (isOurs(input)) delete sent.MessageSystemAttributes;
  for (const [i, entry] of (sent.Entries ?? []).entries()) {
    if (isOurs(input.Entries?.[i])) delete entry.MessageSystemAttributes;
  }
  return JSON.stringify(sent);
}

/** The form of clients before 3.446. There is no other system attribute than this one. */
function withoutInQuery(text: string): string {
  return text
    .split('&')
    .filter((pair) => !/(^|\.)MessageSystemAttribute\.\d+\./.test(pair))
    .join('&');
}
