/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { connectedness, piecesByOrder } = require('./compare.js');
const { groupBy } = require('./group-by.js');
const { table } = require('./table.js');
const { duration } = require('./text.js');
const { summarise } = require('./trace.js');
const { waterfall } = require('./waterfall.js');

const MAX_PROBLEMS_SHOWN = 8;

/**
 * The order worth showing: one that was given up after several attempts, else one that was tried most often. Of several
 * the middle one: the first orders meet services that are still warming up, the last ones wait longest.
 */
function mostEventful(orders) {
  const rank = ({ outcome, attempts }) => (outcome === 'dead-lettered' ? 100 : 0) + (attempts ?? 0);
  const highest = Math.max(...orders.map(rank));
  const candidates = orders.filter((order) => rank(order) === highest);
  return candidates[Math.floor(candidates.length / 2)];
}

/** Every order with the spans of the traces it is found in, and how many other orders are in them too. */
function ordersWithSpans({ spans, orders }) {
  const traces = groupBy(spans, ({ traceId }) => traceId);
  const pieces = piecesByOrder(spans, orders);
  const owners = groupBy([...pieces.values()].flat(), (traceId) => traceId);
  return orders.map((order) => {
    const traceIds = pieces.get(order.id);
    const others = Math.max(0, ...traceIds.map((traceId) => owners.get(traceId).length - 1));
    return {
      order,
      others,
      pieces: traceIds.map((traceId) => traces.get(traceId)).sort((a, b) => startOf(a) - startOf(b)),
    };
  });
}

const startOf = (spans) => Math.min(...spans.map(({ startMs }) => startMs));

function waterfallOf({ order, pieces, others }, paint) {
  return pieces
    .map((spans, index) => {
      const part = pieces.length > 1 ? `, piece ${index + 1} of ${pieces.length}` : '';
      const title = `order ${order.id} (${order.outcome}, attempts: ${order.attempts})${part}`;
      const trace = `  trace ${spans[0].traceId}`;
      return `${paint.bold(title)}${paint.dim(trace)}\n\n${waterfall(spans, paint)}`;
    })
    .concat(others > 0 ? [`${others} other orders are in the same trace.`] : [])
    .join('\n\n');
}

/** What a person has without spans: lines of five log files. */
function logOf({ id, lines }, paint) {
  const shown = lines.map(
    ({ service, fields }) => `  ${paint.service(service, service.padEnd(13))} ${JSON.stringify(fields)}`,
  );
  return [`No span tells of order ${id}. What there is are the lines that its services logged:`, '', ...shown].join(
    '\n',
  );
}

function orderTable(all, paint) {
  const rows = all.map(({ order, pieces }) => ({
    ...order,
    ...(pieces.length ? summarise(pieces.flat()) : {}),
    pieces,
  }));
  const figures = (of) => (row) => (row.pieces.length ? duration(of(row)) : '');
  return table(
    [
      { title: 'order', of: ({ id }) => id },
      { title: 'outcome', of: ({ outcome }) => outcome ?? 'under way' },
      { title: 'attempts', of: ({ attempts }) => attempts, right: true },
      { title: 'traces', of: ({ pieces }) => pieces.length, right: true },
      { title: 'spans', of: ({ spans }) => spans, right: true },
      { title: 'services', of: ({ services }) => services, right: true },
      { title: 'hops', of: ({ hops }) => hops, right: true },
      { title: 'in queues', of: figures(({ queueMs }) => queueMs), right: true },
      { title: 'total', of: figures(({ totalMs }) => totalMs), right: true },
      { title: 'trace', of: ({ pieces }) => pieces[0]?.[0].traceId },
    ],
    rows,
    paint,
  );
}

function checkList(checks, paint) {
  return checks
    .map(({ name, problems }) => {
      if (problems.length === 0) return `${paint.good('✓')} ${name}`;
      const more = problems.length - MAX_PROBLEMS_SHOWN;
      const shown = problems.slice(0, MAX_PROBLEMS_SHOWN).map((problem) => `    ${problem}`);
      return [`${paint.bad('✗')} ${name}`, ...shown, ...(more > 0 ? [`    and ${more} more`] : [])].join('\n');
    })
    .join('\n');
}

/** Runs side by side; each is `{ title, spans, orders }`. */
function comparison(runs, paint) {
  const columns = runs.map((run) => ({ title: run.title, figures: connectedness(run.spans, run.orders) }));
  const rows = [
    { title: 'spans received', of: ({ spans }) => spans },
    { title: 'orders with one whole trace', of: ({ whole, orders }) => `${whole} of ${orders}` },
    { title: 'traces an order is spread over', of: ({ meanPieces, spans }) => (spans ? meanPieces.toFixed(1) : '–') },
    { title: 'traces that mix several orders', of: ({ mixed, spans }) => (spans ? mixed : '–') },
    { title: 'orphan spans', of: ({ orphans, spans }) => (spans ? orphans : '–') },
    ...columns[0].figures.hops.map(({ title }, index) => ({
      title,
      of: ({ hops }) => hopText(hops[index]),
    })),
  ];
  return table(
    [
      { title: '', of: ({ title }) => title },
      ...columns.map(({ title, figures }) => ({ title, of: (row) => row.of(figures), right: true })),
    ],
    rows,
    paint,
  );
}

const hopText = ({ connected, byLink, of }) => `${connected} of ${of}${byLink ? ` (${byLink} by a link only)` : ''}`;

module.exports = { checkList, comparison, logOf, mostEventful, ordersWithSpans, orderTable, waterfallOf };
