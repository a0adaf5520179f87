/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { isValidSpanId, isValidTraceId, type SpanContext } from '@opentelemetry/api';

/** Name of the message system attribute that carries X-Ray's tracing header. */
export const TRACE_HEADER = 'AWSTraceHeader';

/**
 * The X-Ray tracing header of a span context; trace state and baggage have no place in it.
 * @see https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
 */
export function formatTraceHeader({ traceId, spanId, traceFlags }: SpanContext): string {
  return `Root=1-${traceId.slice(0, 8)}-${traceId.slice(8)};Parent=${spanId};Sampled=${traceFlags & 1}`;
}

/**
 * The span context in an X-Ray tracing header; undefined without a valid root and parent.
 * `Sampled=?`, and no word about it, count as not sampled. Other fields (`Self`, `Lineage`) are ignored.
 */
export function parseTraceHeader(header: string): SpanContext | undefined {
  if (header.length > MAX_LENGTH) return undefined;
  let root: string | undefined;
  let spanId: string | undefined;
  let traceFlags = 0;
  for (const part of header.split(';')) {
    const at = part.indexOf('=');
    const value = part.slice(at + 1).trim();
    switch (part.slice(0, at).trim().toLowerCase()) {
      case 'root':
        root = value.toLowerCase();
        break;
      case 'parent':
        spanId = value.toLowerCase();
        break;
      case 'sampled':
        traceFlags = value === '1' ? 1 : 0;
    }
  }
  if (root === undefined || spanId === undefined || !ROOT.test(root)) return undefined;
  const traceId = root.slice(2, 10) + root.slice(11);
  return isValidTraceId(traceId) && isValidSpanId(spanId) ? { traceId, spanId, traceFlags, isRemote: true } : undefined;
}

/** Amazon's own headers have a hundred characters; lineage adds some. */
const MAX_LENGTH = 1000;
const ROOT = /^1-[0-9a-f]{8}-[0-9a-f]{24}$/;
