/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { isRefused } = require('./message.js');
const { ordersWithSpans } = require('./report.js');
const { SERVICE_NAMES } = require('./services.js');
const { layOut, summarise } = require('./trace.js');

const read = (name) => readFileSync(join(__dirname, 'page', name), 'utf8');

/**
 * One HTML document with everything in it: style, script and spans. Nothing is fetched when it is opened.
 * `run` is `{ title, spans, orders }`, `selected` the order shown first.
 */
function pageOf({ run, checks, selected }) {
  const data = {
    title: run.title,
    madeAt: new Date().toISOString(),
    spanCount: run.spans.length,
    services: SERVICE_NAMES,
    checks,
    selected,
    orders: ordersWithSpans(run).map(orderForPage),
    names: Object.fromEntries(run.spans.map(({ spanId, service, name }) => [spanId, `${service}: ${name}`])),
  };
  const parts = {
    STYLE: `<style>
${read('style.css')}</style>`,
    DATA: `<script id="data" type="application/json">${embeddable(data)}</script>`,
    SCRIPT: `<script>
${read('script.js')}</script>`,
  };
  return read('page.html').replace(/<!-- (STYLE|DATA|SCRIPT) -->/g, (_, name) => parts[name]);
}

function orderForPage({ order, pieces, others }) {
  const { id, outcome, attempts } = order;
  const base = { id, outcome: outcome ?? 'under way', attempts, others };
  if (pieces.length === 0) return { ...base, pieces: [] };
  const laidOut = pieces.map(layOut);
  const beginMs = laidOut[0].startMs;
  const { queueMs, totalMs, hops } = summarise(pieces.flat());
  return {
    ...base,
    queueMs,
    totalMs,
    hops,
    pieces: laidOut.map(({ rows }) => rows.map((row) => rowForPage(row, beginMs))),
  };
}

function rowForPage({ span, depth, orphan, queue }, beginMs) {
  const { startMs, endMs, ...rest } = span;
  return {
    ...rest,
    events: span.events.map(({ atMs, ...event }) => ({ ...event, atMs: round(atMs - beginMs) })),
    depth,
    orphan,
    refused: isRefused(span),
    startMs: round(startMs - beginMs),
    durationMs: round(endMs - startMs),
    queue: queue && {
      startMs: round(queue.startMs - beginMs),
      durationMs: round(queue.endMs - queue.startMs),
      place: queue.place,
    },
  };
}

const round = (ms) => Math.round(ms * 1_000) / 1_000;

/** JSON that cannot end the script element it is written into. */
const embeddable = (data) => JSON.stringify(data).replace(/</g, '\\u003c');

module.exports = { pageOf };
