/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { SpanContext } from '@opentelemetry/api';

/**
 * The W3C `traceparent` of a span context, as @opentelemetry/core writes it.
 * @see https://www.w3.org/TR/trace-context-1/#traceparent-header
 */
export function formatTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  if (traceFlags === 1) return `00-${traceId}-${spanId}-01`;
  return `00-${traceId}-${spanId}-0${Number(traceFlags || 0).toString(16)}`;
}

/** The span context of a version 00 `traceparent` in plain form; undefined for anything unusual or invalid. */
export function parseTraceparent(text: string): SpanContext | undefined {
  if (text.length !== 55 || !text.startsWith('00-') || text.charCodeAt(35) !== DASH || text.charCodeAt(52) !== DASH) {
    return undefined;
  }
  if (!isHex(text, 3, 35) || !isHex(text, 36, 52) || !isHex(text, 53, 55)) return undefined;
  const traceId = text.slice(3, 35);
  const spanId = text.slice(36, 52);
  if (traceId === ZERO_TRACE || spanId === ZERO_SPAN) return undefined;
  const traceFlags = 16 * digit(text.charCodeAt(53)) + digit(text.charCodeAt(54));
  return { traceId, spanId, traceFlags, isRemote: true };
}

const DASH = 0x2d;
const ZERO_TRACE = '0'.repeat(32);
const ZERO_SPAN = '0'.repeat(16);

/** Values of lower-case hexadecimal digits by their code, 16 for what is none. A table: comparing takes half as long again. */
const DIGITS = new Uint8Array(128).fill(16);
for (let value = 0; value < 16; value++) DIGITS[value.toString(16).charCodeAt(0)] = value;

function isHex(text: string, from: number, to: number): boolean {
  let seen = 0;
  for (let i = from; i < to; i++) seen |= digit(text.charCodeAt(i));
  return seen < 16;
}

function digit(code: number): number {
  return code < 128 ? (DIGITS[code] as number) : 16;
}
