/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type Span, type SpanContext, TraceFlags, type Tracer, trace } from '@opentelemetry/api';

/** What a tracer's sampler will say whatever it is shown, so that nobody need make attributes and links of such a span. */
export interface Sampling {
  /** No span without a parent is recorded. */
  readonly dropsRoots: boolean;
  /** No span below an unsampled parent is recorded, local or remote. */
  readonly dropsUnsampled: boolean;
}

export const UNKNOWN: Sampling = { dropsRoots: false, dropsUnsampled: false };
const NEVER: Sampling = { dropsRoots: true, dropsUnsampled: true };

/**
 * Known of the samplers that SDKs 2.x and 3.x bring along and have by default (`parentbased_always_on`); any other is asked
 * with all there is. By the description that a sampler gives of itself: its parts are told nowhere else.
 */
export function samplingOf(tracer: Tracer | undefined): Sampling {
  const sampler = (tracer as { readonly _sampler?: object } | undefined)?._sampler;
  const name = sampler?.constructor?.name;
  if (name === 'AlwaysOffSampler') return NEVER;
  // By its class too: one that extends it may decide otherwise and inherit the description.
  const [, root] = name === 'ParentBasedSampler' ? (PARENT_BASED.exec(String(sampler)) ?? []) : [];
  return root === undefined ? UNKNOWN : { dropsRoots: root === 'AlwaysOffSampler', dropsUnsampled: true };
}

const PARENT_BASED =
  /^ParentBased\{root=(.+), remoteParentSampled=\w+, remoteParentNotSampled=AlwaysOffSampler, localParentSampled=\w+, localParentNotSampled=AlwaysOffSampler\}$/;

/**
 * A span below an unsampled parent, as the SDK makes it when its sampler has said no: an id of its own, nothing recorded. For
 * samplings that are known; it takes a tenth of the time that the SDK takes to come to the same.
 */
export function unsampledChild({ traceId, traceState }: SpanContext): Span {
  return trace.wrapSpanContext({ traceId, spanId: randomSpanId(), traceFlags: TraceFlags.NONE, traceState });
}

/** Sixteen hexadecimal digits; all of them zero, which would be no id, once in 2^64. */
function randomSpanId(): string {
  const a = Math.random() * 2 ** 32;
  const b = Math.random() * 2 ** 32;
  // One call: strings put together of parts take three times as long.
  return String.fromCharCode(
    hex(a >>> 28),
    hex(a >>> 24),
    hex(a >>> 20),
    hex(a >>> 16),
    hex(a >>> 12),
    hex(a >>> 8),
    hex(a >>> 4),
    hex(a),
    hex(b >>> 28),
    hex(b >>> 24),
    hex(b >>> 20),
    hex(b >>> 16),
    hex(b >>> 12),
    hex(b >>> 8),
    hex(b >>> 4),
    hex(b),
  );
}

/** Code of the digit of the lowest four bits. */
function hex(bits: number): number {
  return HEX_DIGITS[bits & 15] as number;
}

const HEX_DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
