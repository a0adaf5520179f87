/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const WIDTH = 100;

/**
 * Traces as text, a tree each, with the service at the end of each line.
 * @param {readonly import('../order-pipeline/lib/otlp.js').Span[]} spans those to show
 * @param {Readonly<Record<string, string>>} shown attributes to show, with the words to show them by
 */
function treeOf(spans, shown = {}) {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const sorted = [...spans].sort((a, b) => a.startMs - b.startMs);
  const lines = [];
  const visit = (span, own, below) => {
    lines.push(`${(own + lineOf(span, shown)).padEnd(WIDTH)} ${span.service}`);
    const children = sorted.filter(({ parentSpanId }) => parentSpanId === span.spanId);
    for (const [i, child] of children.entries()) {
      const isLast = i === children.length - 1;
      visit(child, `${below}${isLast ? '└─ ' : '├─ '}`, `${below}${isLast ? '   ' : '│  '}`);
    }
  };
  for (const span of sorted) if (!known.has(span.parentSpanId)) visit(span, '', '');
  return lines.join('\n');
}

function lineOf({ name, kind, attributes, error }, shown) {
  const facts = Object.entries(shown)
    .filter(([key]) => attributes[key] !== undefined)
    .map(([key, word]) => ` {${word} ${attributes[key]}}`);
  return `${name} ${kind}${error === undefined ? '' : ' ✗'}${facts.join('')}`;
}

module.exports = { treeOf };
