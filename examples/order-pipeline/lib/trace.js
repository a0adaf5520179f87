/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { groupBy } = require('./group-by.js');
const { messageOf, queueOf } = require('./message.js');

/**
 * @typedef {object} Row one line of a waterfall
 * @property {import('./otlp.js').Span} span
 * @property {number} depth
 * @property {boolean} orphan its parent is not in the trace
 * @property {{ startMs: number, endMs: number, place: string } | undefined} queue the time before it that its message spent in a queue
 */

/**
 * One trace in reading order: children below their parents, in the order in which they started.
 * @param {readonly import('./otlp.js').Span[]} spans all of one trace
 * @returns {{ rows: Row[], startMs: number, endMs: number, queueMs: number }}
 */
function layOut(spans) {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const sorted = [...spans].sort((a, b) => a.startMs - b.startMs);
  const children = groupBy(sorted, (span) => (byId.has(span.parentSpanId) ? span.parentSpanId : ''));
  const queues = queueTimes(sorted, byId);

  const rows = [];
  const visit = (span, depth) => {
    rows.push({ span, depth, orphan: depth === 0 && span.parentSpanId !== undefined, queue: queues.get(span) });
    for (const child of children.get(span.spanId) ?? []) visit(child, depth + 1);
  };
  for (const root of children.get('') ?? []) visit(root, 0);

  const queueMs = [...queues.values()].reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  const endMs = Math.max(...spans.map((span) => span.endMs));
  return { rows, startMs: sorted[0].startMs, endMs, queueMs };
}

/** By consumer span: from the end of its sending, or of the delivery before this one, to its own start. */
function queueTimes(sorted, byId) {
  const queues = new Map();
  const consumers = sorted.filter(
    (span) => span.kind === 'CONSUMER' && byId.get(span.parentSpanId)?.kind === 'PRODUCER',
  );
  for (const deliveries of groupBy(consumers, ({ parentSpanId }) => parentSpanId).values()) {
    let before = byId.get(deliveries[0].parentSpanId);
    for (const span of deliveries) {
      // A consumer may well begin before the producer has heard that its message arrived: then there was no wait to speak of.
      const startMs = Math.min(before.endMs, span.startMs);
      const place = before.kind === 'CONSUMER' && before.service === span.service ? 'retry queue' : queueOf(span);
      queues.set(span, { startMs, endMs: span.startMs, place });
      before = span;
    }
  }
  return queues;
}

/** The figures of an order's line in the table. */
function summarise(spans) {
  const { queueMs, startMs, endMs } = layOut(spans);
  return {
    spans: spans.length,
    services: new Set(spans.map(({ service }) => service)).size,
    hops: spans.filter((span) => span.kind === 'CONSUMER' && span.parentSpanId && messageOf(span)).length,
    queueMs,
    totalMs: endMs - startMs,
  };
}

module.exports = { layOut, summarise };
