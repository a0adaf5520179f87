/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { EXPECTED } from './expected.mjs';

/** A verification's result as lines that read like a trace; equal lines are counted. */
export function outline(shape) {
  return {
    spans: counted(shape.spans.map(({ name, kind, parent, links }) => `${name} ${kind} < ${parent}${linked(links)}`)),
    carriers: counted(shape.carriers),
    handlers: counted(shape.handlers),
  };
}

/** What is wrong with a contestant's output in a cell; empty if nothing. */
export function unexpected({ client, op, mode }, contestant, shape) {
  const found = outline(shape);
  const wanted = expectation(client, op, mode, contestant);
  const problems = [];
  for (const part of ['spans', 'carriers', 'handlers']) {
    if (wanted[part] !== undefined && wanted[part].join('; ') !== found[part].join('; ')) {
      problems.push(`${part}: [${found[part].join('; ')}] instead of [${wanted[part].join('; ')}]`);
    }
  }
  for (const span of shape.spans) if (span.failed) problems.push(`${span.name} has failed`);
  return problems;
}

/** Where the output of two contestants differs: spans, their attribute keys and links, and metric points. */
export function differences(left, right) {
  return [
    ...differing('span', left.spans.map(describe), right.spans.map(describe)),
    ...differing('metric', left.metrics, right.metrics),
  ];
}

function expectation(client, op, mode, contestant) {
  const expected = EXPECTED[client][op]?.[contestant === 'hand-written' ? 'ours' : contestant];
  if (contestant === 'none' || expected === undefined) return {};
  if (mode === 'on' || mode === 'metrics') return expected;
  const count = (lines) => lines.reduce((sum, line) => sum + Number(/ x(\d+)$/.exec(line)?.[1] ?? 1), 0);
  const all = (lines, name) => (lines?.length ? [count(lines) > 1 ? `${name} x${count(lines)}` : name] : lines);
  if (mode === 'no-sdk') return { spans: [], carriers: all(expected.carriers, 'none') };
  return { spans: [], carriers: all(expected.carriers, 'unrecorded') };
}

function describe({ name, kind, parent, links, linkAttributes, attributes }) {
  const keys = attributes.length > 0 ? ` {${attributes.join(', ')}}` : '';
  const linkKeys = linkAttributes.length > 0 ? ` link {${linkAttributes.join(', ')}}` : '';
  return `${name} ${kind} < ${parent}${linked(links)}${keys}${linkKeys}`;
}

function differing(what, left, right) {
  const lines = [];
  for (const line of counted(left)) if (!counted(right).includes(line)) lines.push(`- ${what} ${line}`);
  for (const line of counted(right)) if (!counted(left).includes(line)) lines.push(`+ ${what} ${line}`);
  return lines;
}

function linked(links) {
  return links.length > 0 ? ` > ${counted(links).join(', ')}` : '';
}

function counted(lines) {
  const counts = new Map();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return [...counts].map(([line, count]) => (count > 1 ? `${line} x${count}` : line)).sort();
}
