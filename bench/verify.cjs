/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { SpanKind, SpanStatusCode, trace } = require('@opentelemetry/api');
const { incomingSpanIds } = require('./clients/incoming.cjs');
const { probe } = require('./clients/probe.cjs');

const TRACEPARENT = /^00-[0-9a-f]{32}-([0-9a-f]{16})-0[01]$/;

/**
 * What one call of an operation leaves behind, in names that are equal from run to run: its spans with parents and links,
 * the contexts on the wire, the span that was active in each handler, and the metric points.
 * Runs before the measurement, since only here spans are kept.
 */
async function verify(operation, sdk) {
  // Not the first call: what is looked up once, and answered asynchronously, is there from the second on.
  await operation.run(2);
  await new Promise((resolve) => setTimeout(resolve, 5));
  const before = await metricTotals(sdk.reader);
  probe.carriers = [];
  probe.activeSpanIds = [];
  if (sdk.processor !== undefined) sdk.processor.kept = [];
  await operation.run(1);
  await new Promise((resolve) => setTimeout(resolve, 5));

  const spans = sdk.processor?.kept ?? [];
  const nameOf = namesById(spans, trace.getSpanContext(sdk.ambient)?.spanId);
  const shape = {
    spans: spans.map((span) => spanShape(span, nameOf)),
    carriers: probe.carriers.map((carrier) => carriedContext(carrier, nameOf)),
    handlers: probe.activeSpanIds.map(nameOf),
    metrics: difference(before, await metricTotals(sdk.reader)),
  };
  probe.carriers = undefined;
  probe.activeSpanIds = undefined;
  if (sdk.processor !== undefined) sdk.processor.kept = undefined;
  return shape;
}

function namesById(spans, ambientSpanId) {
  const names = new Map(spans.map((span) => [span.spanContext().spanId, span.name]));
  names.set(ambientSpanId, 'ambient');
  return (id) => {
    if (id === undefined || id === 'none') return 'none';
    if (incomingSpanIds.has(id)) return 'incoming';
    return names.get(id) ?? 'unrecorded';
  };
}

function spanShape(span, nameOf) {
  return {
    name: span.name,
    kind: SpanKind[span.kind],
    parent: nameOf(span.parentSpanContext?.spanId),
    links: span.links.map((link) => nameOf(link.context.spanId)),
    linkAttributes: [...new Set(span.links.flatMap((link) => Object.keys(link.attributes ?? {})))].sort(),
    attributes: Object.keys(span.attributes).sort(),
    failed: span.status.code === SpanStatusCode.ERROR,
  };
}

function carriedContext(carrier, nameOf) {
  const value = carrier.traceparent;
  const text = typeof value === 'string' ? value : value?.StringValue;
  const match = TRACEPARENT.exec(text ?? '');
  return match === null ? 'none' : nameOf(match[1]);
}

async function metricTotals(reader) {
  const totals = new Map();
  if (reader === undefined) return totals;
  const { resourceMetrics } = await reader.collect();
  for (const { metrics } of resourceMetrics.scopeMetrics) {
    for (const { descriptor, dataPoints } of metrics) {
      for (const { attributes, value } of dataPoints) {
        const key = `${descriptor.name} ${descriptor.unit} {${Object.keys(attributes).sort().join(', ')}}`;
        totals.set(key, (totals.get(key) ?? 0) + (typeof value === 'number' ? value : value.count));
      }
    }
  }
  return totals;
}

function difference(before, after) {
  const lines = [];
  for (const [key, total] of after) {
    const grown = total - (before.get(key) ?? 0);
    if (grown !== 0) lines.push(`${key} +${grown}`);
  }
  return lines.sort();
}

module.exports = { verify };
