/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { groupBy } = require('../order-pipeline/lib/group-by.js');

const WIDTH = 100;

/**
 * Traces as text, a tree each, with the service at the end of each line, and what is linked beside the parent.
 * @param {readonly import('../order-pipeline/lib/otlp.js').Span[]} spans those to show
 * @param {Readonly<Record<string, string>>} shown attributes to show, with the words to show them by
 * @param {readonly import('../order-pipeline/lib/otlp.js').Span[]} all that links may point to
 */
function treeOf(spans, shown = {}, all = spans) {
  const names = new Map(all.map((span) => [span.spanId, `${span.service}: ${span.name}`]));
  const known = new Set(spans.map(({ spanId }) => spanId));
  const sorted = [...spans].sort((a, b) => a.startMs - b.startMs);
  const lines = [];
  const visit = (span, own, below) => {
    lines.push(`${(own + lineOf(span, shown, names)).padEnd(WIDTH)} ${span.service}`);
    const children = sorted.filter(({ parentSpanId }) => parentSpanId === span.spanId);
    for (const [i, child] of children.entries()) {
      const isLast = i === children.length - 1;
      visit(child, `${below}${isLast ? '└─ ' : '├─ '}`, `${below}${isLast ? '   ' : '│  '}`);
    }
  };
  for (const span of sorted) if (!known.has(span.parentSpanId)) visit(span, '', '');
  return lines.join('\n');
}

function lineOf({ name, kind, attributes, error, links, parentSpanId }, shown, names) {
  const facts = Object.entries(shown)
    .filter(([key]) => attributes[key] !== undefined)
    .map(([key, word]) => ` {${word} ${attributes[key]}}`);
  const others = groupBy(
    links.filter(({ spanId }) => spanId !== parentSpanId),
    ({ spanId }) => names.get(spanId) ?? '?',
  );
  const arrows = [...others].map(([other, { length }]) => (length > 1 ? `${length} times ${other}` : other));
  const linked = arrows.length > 0 ? `  → ${arrows.join(', ')}` : '';
  return `${name} ${kind}${error === undefined ? '' : ' ✗'}${facts.join('')}${linked}`;
}

module.exports = { treeOf };
