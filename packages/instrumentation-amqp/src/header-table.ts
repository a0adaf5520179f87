/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { AmqpProperties } from './amqplib';

/** amqplib encodes a header table into a buffer of this size; 2.x throws above it, 0.10 and 1.x truncate it silently. */
const TABLE_LIMIT = 65_536;
/** Around the properties of a content header frame: frame header and end, class, weight, body size, flags. */
const FRAME_OVERHEAD = 22;
/** Properties of fixed length: delivery mode, priority, timestamp. */
const FIXED_PROPERTIES = 10;
const TEXT_PROPERTIES = [
  'contentType',
  'contentEncoding',
  'correlationId',
  'replyTo',
  'expiration',
  'messageId',
  'type',
  'userId',
  'appId',
] as const;
const MAX_TEXT_PROPERTIES = TEXT_PROPERTIES.length * 256;
/** Deeper tables count as full: they are none of a message that anybody wrote by hand. */
const MAX_DEPTH = 20;

/**
 * Bytes that may be added to the header table of a publish so that it is still sent: the encoder has a limit of its own,
 * and the frame that holds the table must not exceed what the broker agreed to.
 */
export function roomForHeaders(properties: AmqpProperties | undefined, frameMax: number): number {
  const { headers, CC, BCC } = properties ?? {};
  const limit = tableLimit(properties, frameMax) - 4;
  if (headers === undefined && CC === undefined && BCC === undefined) return limit;
  const copies = { CC: asList(CC), BCC: asList(BCC) };
  // Three bytes a character is enough to know for all but huge tables.
  const atMost = sizeOf(headers, copies, atMostBytes, limit / 2);
  return limit - (atMost <= limit / 2 ? atMost : sizeOf(headers, copies, Buffer.byteLength, limit));
}

/** Bytes of one text header, encoded. */
export function headerSize(name: string, value: string): number {
  return 6 + Buffer.byteLength(name) + Buffer.byteLength(value);
}

function tableLimit(properties: AmqpProperties | undefined, frameMax: number): number {
  const withoutTexts = frameMax - FRAME_OVERHEAD - FIXED_PROPERTIES;
  if (withoutTexts - MAX_TEXT_PROPERTIES >= TABLE_LIMIT || properties === undefined) {
    return Math.min(TABLE_LIMIT, withoutTexts);
  }
  let texts = 0;
  for (const name of TEXT_PROPERTIES) {
    const value = properties[name];
    if (value !== undefined && value !== null) texts += 1 + Buffer.byteLength(String(value));
  }
  return Math.min(TABLE_LIMIT, withoutTexts - texts);
}

type Measure = (text: string) => number;

function atMostBytes(text: string): number {
  return text.length * 3;
}

function sizeOf(headers: unknown, copies: object, bytes: Measure, most: number): number {
  const size = tableSize(headers, bytes, most);
  return size > most ? size : size + tableSize(copies, bytes, most - size);
}

/**
 * Entries only, without the table's own length; inherited ones count, as they do for amqplib.
 * @param most bytes above which no more are counted: where objects refer to one another, a few of them may make a table
 *   that takes hours to walk, and that amqplib gives up as soon as it is too large
 */
function tableSize(table: unknown, bytes: Measure, most: number, depth = 0): number {
  if (typeof table !== 'object' || table === null) return 0;
  if (depth > MAX_DEPTH) return Number.POSITIVE_INFINITY;
  let size = 0;
  for (const key in table) {
    const value = (table as Record<string, unknown>)[key];
    if (value !== undefined) size += 1 + bytes(key) + valueSize(value, bytes, most - size, depth);
    if (size > most) break;
  }
  return size;
}

function valueSize(value: unknown, bytes: Measure, most: number, depth: number): number {
  if (typeof value === 'string') return 5 + bytes(value);
  if (typeof value !== 'object' || value === null) return 9;
  if (Buffer.isBuffer(value)) return 5 + value.length;
  if (!Array.isArray(value)) return 9 + tableSize(value, bytes, most, depth + 1);
  if (depth > MAX_DEPTH) return Number.POSITIVE_INFINITY;
  let size = 5;
  for (let i = 0; i < value.length && size <= most; i++) size += valueSize(value[i], bytes, most - size, depth + 1);
  return size;
}

function asList(value: unknown): unknown[] | undefined {
  if (value === undefined) return undefined;
  return (Array.isArray(value) ? value : [value]).map(String);
}
