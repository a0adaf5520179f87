/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { groupBy } = require('../../order-pipeline/lib/group-by.js');

const WIDTH = 100;
const SHOWN = { 'messaging.message.retry.count': 'retry', 'messaging.dead_letter.source': 'died in' };

/**
 * The traces of these spans as text, a tree each: service, name, kind, what is known of attempts, and what is linked
 * beside the parent.
 * @param {readonly import('../../order-pipeline/lib/otlp.js').Span[]} spans those to show
 * @param {readonly import('../../order-pipeline/lib/otlp.js').Span[]} all that links may point to
 */
function treeOf(spans, all) {
  const names = new Map(all.map((span) => [span.spanId, `${span.service}: ${span.name}`]));
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const sorted = [...spans].sort((a, b) => a.startMs - b.startMs);
  const lines = [];
  const visit = (span, own, below) => {
    lines.push((own + lineOf(span, names)).padEnd(WIDTH) + span.service);
    const children = sorted.filter(({ parentSpanId }) => parentSpanId === span.spanId);
    for (const [i, child] of children.entries()) {
      const isLast = i === children.length - 1;
      visit(child, `${below}${isLast ? '└─ ' : '├─ '}`, `${below}${isLast ? '   ' : '│  '}`);
    }
  };
  for (const span of sorted) if (!byId.has(span.parentSpanId)) visit(span, '', '');
  return lines.join('\n');
}

function lineOf({ name, kind, attributes, links, parentSpanId }, names) {
  const facts = Object.entries(SHOWN)
    .filter(([key]) => attributes[key] !== undefined)
    .map(([key, word]) => ` {${word} ${attributes[key]}}`);
  const others = groupBy(
    links.filter(({ spanId }) => spanId !== parentSpanId),
    ({ spanId }) => names.get(spanId) ?? '?',
  );
  const arrows = [...others].map(([other, { length }]) => (length > 1 ? `${length} times ${other}` : other));
  return `${name} ${kind}${facts.join('')}${arrows.length > 0 ? `  → ${arrows.join(', ')}` : ''}`;
}

module.exports = { treeOf };
