/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { OutgoingContext } from '@otel-messaging/messaging-common';
import { define } from './copy';

/** One value of a record header, and what stands there if a record has several headers of the name. */
export type HeaderValue = Buffer | string | readonly (Buffer | string)[] | null | undefined;

/** Anything but a list, which kafkajs would take for a table of its indices. */
export function isTable(headers: unknown): boolean {
  return typeof headers === 'object' && headers !== null && !Array.isArray(headers);
}

/**
 * A copy of the headers that carries other fields. Undefined where the client would refuse what stands in the place of one:
 * it is to see that, and say so.
 */
export function headersWith(
  headers: Readonly<Record<string, HeaderValue>> | undefined,
  fields: OutgoingContext['fields'],
  stale: OutgoingContext['stale'],
): Record<string, HeaderValue> | undefined {
  if (headers === undefined) return { ...fields };
  const copy: Record<string, HeaderValue> = {};
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (isOneOf(stale, name)) {
      if (!(Array.isArray(value) ? value.every(isTextOrBytes) : isTextOrBytes(value))) return undefined;
    } else if (name === '__proto__') define(copy, name, value);
    else copy[name] = value;
  }
  for (const name in fields) copy[name] = fields[name];
  return copy;
}

/** What clients send as a header. */
export function isTextOrBytes(value: unknown): boolean {
  return typeof value === 'string' || ArrayBuffer.isView(value);
}

/** The text of a header's value: of several, the last that is valid, since producers of other languages append. */
export function textOf(value: unknown, field: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  if (Buffer.isBuffer(value)) return value.toString();
  if (!Array.isArray(value)) return undefined;
  for (let i = value.length - 1; i >= 0; i--) {
    const text = Array.isArray(value[i]) ? undefined : textOf(value[i], field);
    if (text !== undefined && isPlausible(text, field)) return text;
  }
  return undefined;
}

/** Whether a duplicate may win over those before it. */
function isPlausible(text: string, field: string): boolean {
  return field === 'traceparent' ? TRACEPARENT.test(text) : text !== '';
}

/** @see https://www.w3.org/TR/trace-context-1/#traceparent-header */
const TRACEPARENT = /^\s?(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(-.*)?\s?$/;

/** Whether a name is one of these, in any letter case. */
export function isOneOf(fields: readonly string[], name: string): boolean {
  for (const field of fields) {
    if (field.length === name.length && (field === name || field.toLowerCase() === name.toLowerCase())) return true;
  }
  return false;
}
