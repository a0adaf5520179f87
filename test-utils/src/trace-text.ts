/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

export interface TraceTextOptions {
  /** Attributes to show behind the span, as `{key=value}`. */
  readonly attributes?: readonly string[];
  /** Replaces what changes from run to run in names, such as the name of a fresh queue. */
  readonly rename?: (text: string) => string;
}

/**
 * All traces as text, one tree each, oldest first: name, kind, `!error.type` of a failed span, and the names of linked
 * spans. A parent that is not among the spans is shown as such.
 *
 *     app INTERNAL
 *     ├─ create orders PRODUCER
 *     └─ send orders CLIENT  → create orders
 */
export function traceText(spans: readonly ReadableSpan[], options: TraceTextOptions = {}): string {
  const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]));
  const ordered = [...spans].sort(byStart);
  const children = new Map<string, ReadableSpan[]>();
  const roots: ReadableSpan[] = [];
  for (const span of ordered) {
    const parent = span.parentSpanContext?.spanId;
    if (parent === undefined || !byId.has(parent)) roots.push(span);
    else children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  const lines: string[] = [];
  const write = (span: ReadableSpan, prefix: string, childPrefix: string) => {
    lines.push(prefix + line(span, byId, options));
    const below = children.get(span.spanContext().spanId) ?? [];
    for (const [i, child] of below.entries()) {
      const isLast = i === below.length - 1;
      write(child, `${childPrefix}${isLast ? '└─ ' : '├─ '}`, `${childPrefix}${isLast ? '   ' : '│  '}`);
    }
  };
  for (const root of roots) write(root, root.parentSpanContext === undefined ? '' : '(parent unknown) ', '');
  return lines.join('\n');
}

function line(span: ReadableSpan, byId: ReadonlyMap<string, ReadableSpan>, options: TraceTextOptions): string {
  const rename = options.rename ?? ((text: string) => text);
  const error = span.status.code === SpanStatusCode.ERROR ? ` !${span.attributes['error.type'] ?? 'ERROR'}` : '';
  const shown = (options.attributes ?? [])
    .filter((key) => span.attributes[key] !== undefined)
    .map((key) => ` {${key}=${rename(String(span.attributes[key]))}}`)
    .join('');
  const links = span.links.map((link) => rename(byId.get(link.context.spanId)?.name ?? '(unknown)'));
  const arrow = links.length === 0 ? '' : `  → ${links.join(', ')}`;
  return `${rename(span.name)} ${SpanKind[span.kind]}${error}${shown}${arrow}`;
}

function byStart(a: ReadableSpan, b: ReadableSpan): number {
  return a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1];
}
