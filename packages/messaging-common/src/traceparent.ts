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
  const traceBits = bitsOf(text, 3, 35);
  const spanBits = bitsOf(text, 36, 52);
  // An id of zeros is none.
  if (traceBits === 0 || traceBits > 15 || spanBits === 0 || spanBits > 15 || bitsOf(text, 53, 55) > 15)
    return undefined;
  const traceFlags = 16 * digit(text.charCodeAt(53)) + digit(text.charCodeAt(54));
  return { traceId: text.slice(3, 35), spanId: text.slice(36, 52), traceFlags, isRemote: true };
}

const DASH = 0x2d;

/** Values of lower-case hexadecimal digits by their code, 16 for what is none. A table: comparing takes half as long again. */
const DIGITS = new Uint8Array(256).fill(16);
for (let value = 0; value < 16; value++) DIGITS[value.toString(16).charCodeAt(0)] = value;

/** The bits that the digits have together: none of zeros, more than four where something is no digit. */
function bitsOf(text: string, from: number, to: number): number {
  let bits = 0;
  for (let i = from; i < to; i++) bits |= digit(text.charCodeAt(i));
  return bits;
}

function digit(code: number): number {
  return code < 256 ? (DIGITS[code] as number) : 16;
}
