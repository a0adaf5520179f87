/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Span, SpanContext } from '@opentelemetry/api';
import { TraceFlags, trace } from './otel';

/**
 * A span below an unsampled parent, as the SDK makes it when its sampler has said no: an id of its own, nothing recorded. For
 * samplings that are known; it takes a tenth of the time that the SDK takes to come to the same.
 */
export function unsampledChild({ traceId, traceState }: SpanContext): Span {
  return trace.wrapSpanContext({ traceId, spanId: randomSpanId(), traceFlags: TraceFlags.NONE, traceState });
}

/** Sixteen hexadecimal digits; all of them zero, which would be no id, once in 2^64. */
function randomSpanId(): string {
  for (let at = 0; at < 16; ) {
    let bits = Math.random() * 2 ** 32;
    for (let i = 0; i < 8; i++) {
      codes[at++] = DIGITS[bits & 15] as number;
      bits >>>= 4;
    }
  }
  return String.fromCharCode(...codes);
}

const DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
/** Of the id that is being made. */
const codes: number[] = new Array(16).fill(0);
