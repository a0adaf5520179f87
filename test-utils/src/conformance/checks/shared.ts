/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import assert from 'node:assert/strict';
import { type Tracer, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { traceText } from '../../trace-text';
import { startTracing, type Tracing, type TracingOptions } from '../../tracing';
import { eventually } from '../../waiting';
import type { Rig, RigClient } from '../rig';

const COUNT = 'messaging.batch.message_count';

export async function withClient(
  rig: Rig,
  code: (client: RigClient, tracing: Tracing) => Promise<void>,
  options?: TracingOptions,
  setUp: () => void = () => {},
): Promise<void> {
  const tracing = startTracing([rig.instrumentation], options);
  try {
    setUp();
    const client = await rig.connect();
    try {
      await code(client, tracing);
    } finally {
      rig.instrumentation.enable();
      await client.close();
    }
  } finally {
    await tracing.stop();
  }
}

export async function roundTrip(client: RigClient): Promise<void> {
  await client.send(client.input({ body: 'one' }));
  await client.flush();
  await client.consume(1, async () => {
    await tick();
  });
}

export function application(): Tracer {
  return trace.getTracer('application');
}

export function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export function operationType(span: ReadableSpan): unknown {
  return span.attributes['messaging.operation.type'];
}

/** Spans of one operation type; for `process` those of single messages, since a batch's handler has one more. */
export function ofType(tracing: Tracing, type: string): ReadableSpan[] {
  const isBatchHandler = (span: ReadableSpan) => type === 'process' && COUNT in span.attributes;
  return tracing.spans().filter((span) => operationType(span) === type && !isBatchHandler(span));
}

export function messagingSpans(tracing: Tracing): ReadableSpan[] {
  return tracing.spans().filter((span) => operationType(span) !== undefined);
}

/** Traces by operation type, without spans that only some clients have (polls, settlements, HTTP requests, batches). */
export async function expectText(tracing: Tracing, lines: readonly string[]): Promise<void> {
  const text = () => {
    const spans = tracing.spans().filter((span) => {
      const type = operationType(span);
      if (type === 'process') return span.parentSpanContext !== undefined;
      return type === 'create' || type === 'send' || span.instrumentationScope.name === 'application';
    });
    const names = new Map(spans.map((span) => [span, String(operationType(span) ?? span.name)]));
    const shown = spans.map(
      (span) =>
        new Proxy(span, {
          get: (s, key) => (key === 'name' ? names.get(s) : key === 'links' ? [] : Reflect.get(s, key)),
        }),
    );
    return traceText(shown);
  };
  const expected = lines.join('\n');
  await eventually('the expected traces', () => text() === expected, 2_000).catch(() => {});
  assert.equal(text(), expected);
}

export async function pointsOf(tracing: Tracing): Promise<(name: string, type?: string) => number> {
  const metrics = await tracing.metrics();
  return (name, type) => {
    let sum = 0;
    for (const metric of metrics) {
      if (metric.descriptor.name !== name) continue;
      for (const { value, attributes } of metric.dataPoints) {
        if (type !== undefined && attributes['messaging.operation.type'] !== type) continue;
        sum += typeof value === 'number' ? value : value.count;
      }
    }
    return sum;
  };
}

/** Comparable text of an input, Buffers by their bytes. */
export function snapshot(value: unknown): string {
  return JSON.stringify(value);
}
