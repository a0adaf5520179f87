/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { SpanKind } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

/** Spans take their times from the wall clock, each with a steady clock of its own from there on. */
const CLOCKS_S = 0.005;

/**
 * What was done below the spans of handlers and is not covered by them, as lines: begun after the span had ended or, for work of the
 * application's own, ended after it.
 */
export function notCovered(spans: readonly ReadableSpan[]): string[] {
  const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]));
  return spans.flatMap((span) => {
    const handling = byId.get(span.parentSpanContext?.spanId ?? '');
    if (handling?.kind !== SpanKind.CONSUMER) return [];
    const endS = seconds(handling.endTime) + CLOCKS_S;
    const isLate = seconds(span.startTime) > endS || (span.kind === SpanKind.INTERNAL && seconds(span.endTime) > endS);
    return isLate ? [`not covered: ${span.name} of ${handling.name}`] : [];
  });
}

function seconds([whole, nanoseconds]: readonly [number, number]): number {
  return whole + nanoseconds / 1e9;
}
