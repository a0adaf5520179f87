/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { groupBy } = require('./group-by.js');
const { messageOf } = require('./message.js');

const HOPS = [
  { title: 'gateway → SQS → orders', from: 'gateway', to: 'orders' },
  { title: 'orders → Kafka → payments', from: 'orders', to: 'payments' },
  { title: 'payments → RabbitMQ → shipping', from: 'payments', to: 'shipping' },
  { title: '… → dead-letter queue → dead-letters', from: undefined, to: 'dead-letters', only: 'dead-lettered' },
];

/**
 * What one can know of the orders from the spans of a run, in figures; does not expect anything to be whole.
 * @param {readonly import('./otlp.js').Span[]} spans
 * @param {readonly import('./journal.js').OrderFacts[]} orders
 */
function connectedness(spans, orders) {
  const traces = groupBy(spans, ({ traceId }) => traceId);
  const pieces = piecesByOrder(spans, orders);
  const linked = linksBetween(spans, orders);
  const ownersOf = groupBy(
    [...pieces].flatMap(([id, traceIds]) => traceIds.map((traceId) => ({ id, traceId }))),
    ({ traceId }) => traceId,
  );
  return {
    spans: spans.length,
    whole: orders.filter((order) => isWhole(order, pieces.get(order.id), traces)).length,
    orders: orders.length,
    meanPieces: [...pieces.values()].reduce((sum, { length }) => sum + length, 0) / orders.length,
    mixed: [...ownersOf.values()].filter((owners) => owners.length > 1).length,
    orphans: spans.filter(
      ({ parentSpanId, traceId }) => parentSpanId && !traces.get(traceId).some(({ spanId }) => spanId === parentSpanId),
    ).length,
    hops: HOPS.map((hop) => {
      const concerned = orders.filter(({ outcome }) => !hop.only || outcome === hop.only);
      const connected = concerned.filter((order) => isConnected(hop, pieces.get(order.id), traces));
      const byLink = concerned.filter((order) => !connected.includes(order) && linked.has(linkKey(order, hop)));
      return { title: hop.title, connected: connected.length, byLink: byLink.length, of: concerned.length };
    }),
  };
}

/**
 * By order id, the ids of the traces in which it can be found: those with a span of one of its messages, and those of the
 * producer spans that such a span links to.
 */
function piecesByOrder(spans, orders) {
  const messages = groupBy(spans, messageOf);
  const producers = new Set(spans.filter(({ kind }) => kind === 'PRODUCER').map(({ spanId }) => spanId));
  return new Map(
    orders.map((order) => {
      const own = Object.values(order.messages).flatMap((message) => messages.get(message) ?? []);
      const linked = own.flatMap(({ links }) => links).filter(({ spanId }) => producers.has(spanId));
      return [order.id, [...new Set([...own, ...linked].map(({ traceId }) => traceId))]];
    }),
  );
}

/** Which hops of which orders have at least a link from a span of the receiving service to one of the sending service. */
function linksBetween(spans, orders) {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const orderOf = new Map(orders.flatMap((order) => Object.values(order.messages).map((message) => [message, order])));
  const found = new Set();
  for (const span of spans) {
    for (const { spanId } of span.links) {
      const target = byId.get(spanId);
      const order = orderOf.get(messageOf(span)) ?? (target && orderOf.get(messageOf(target)));
      if (!order || !target) continue;
      for (const hop of HOPS) {
        if (span.service === hop.to && (hop.from ? target.service === hop.from : target.service !== hop.to)) {
          found.add(linkKey(order, hop));
        }
      }
    }
  }
  return found;
}

const linkKey = ({ id }, { title }) => `${id} ${title}`;

function isWhole({ outcome }, pieces, traces) {
  const last = outcome === 'dead-lettered' ? 'dead-letters' : 'shipping';
  return (
    pieces.length === 1 &&
    ['gateway', 'orders', 'payments', 'shipping', last].every((service) => has(traces.get(pieces[0]), service))
  );
}

/** A span of the receiving service is the child of one of another service, in a trace that holds a message of the order. */
function isConnected({ from, to }, pieces, traces) {
  return pieces.some((traceId) => {
    const spans = traces.get(traceId);
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    return spans.some(({ service, parentSpanId }) => {
      const parent = byId.get(parentSpanId);
      return service === to && parent && (from ? parent.service === from : parent.service !== to);
    });
  });
}

const has = (spans, name) => spans.some(({ service }) => service === name);

module.exports = { connectedness, piecesByOrder };
