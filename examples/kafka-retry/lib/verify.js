/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { orphans, split } = require('../../lib/checks.js');
const { groupBy } = require('../../order-pipeline/lib/group-by.js');
const { messageOf } = require('../../order-pipeline/lib/message.js');

/**
 * What has to be true of the spans of a run, each with what is not, in sentences. What happened is taken from what the
 * services printed, never from spans.
 * @param {readonly import('../../order-pipeline/lib/otlp.js').Span[]} spans all of the run
 * @param {readonly { id: string, outcome?: string, deliveries: { topic: string, partition: number, offset: string }[] }[]} orders
 * @param {string} topic that orders begin in
 * @returns {{ name: string, problems: string[] }[]}
 */
function verify(spans, orders, topic) {
  const run = { spans, orders: orders.map((order) => withSpans(order, groupBy(spans, messageOf))), topic };
  return [
    { name: 'every delivery has one span', problems: missing(run) },
    {
      name: 'one trace per order, from the request to the last handler',
      problems: split(handlersOf(run), spans, 'shop'),
    },
    { name: 'attempts are counted', problems: miscounted(run) },
    { name: 'dead letters say where they died', problems: sourceless(run) },
    { name: 'the relay kept what the shop wrote, and links to it', problems: relayed(run) },
    { name: 'no orphan span', problems: orphans(spans) },
  ];
}

function withSpans(order, byMessage) {
  const handled = order.deliveries.map(({ topic, partition, offset }) =>
    (byMessage.get(`kafka/${topic}/${partition}/${offset}`) ?? []).filter(({ kind }) => kind === 'CONSUMER'),
  );
  return { ...order, handled };
}

const handlersOf = ({ orders }) => orders.map(({ id, handled }) => ({ id, spans: handled.flat() }));

function missing({ orders }) {
  return orders.flatMap(({ id, outcome, handled }) => {
    if (outcome === undefined) return [`${id} did not reach its last handler`];
    return handled.flatMap(({ length }, i) => (length === 1 ? [] : [`${id}: delivery ${i + 1} has ${length} spans`]));
  });
}

function miscounted({ orders }) {
  return orders.flatMap(({ id, handled }) =>
    handled.flat().flatMap(({ attributes }, i) => {
      const count = attributes['messaging.message.retry.count'] ?? 0;
      return count === i ? [] : [`${id}: delivery ${i + 1} says that ${count} were before it`];
    }),
  );
}

function sourceless({ orders, topic }) {
  return orders.flatMap(({ id, outcome, handled }) =>
    handled.flat().flatMap(({ attributes }, i) => {
      const expected = outcome === 'given up' && i === handled.length - 1 ? topic : undefined;
      const source = attributes['messaging.dead_letter.source'];
      return source === expected ? [] : [`${id}: delivery ${i + 1} says that it died in ${source}`];
    }),
  );
}

function relayed({ spans, orders }) {
  const sends = spans.filter(({ service, name }) => service === 'relay' && name.startsWith('send '));
  const linked = groupBy(
    sends.flatMap(({ links, kind }) => links.map(({ spanId }) => ({ spanId, kind }))),
    ({ spanId }) => spanId,
  );
  return orders.flatMap(({ id, handled }) => {
    const links = linked.get(handled[0]?.[0]?.parentSpanId) ?? [];
    if (links.length !== 1) return [`${id}: ${links.length} sends of the relay link to the shop's request`];
    return links[0].kind === 'CLIENT' ? [] : [`${id}: the relay's send is of kind ${links[0].kind}`];
  });
}

module.exports = { verify };
