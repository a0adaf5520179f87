/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { orphans, split } = require('../../lib/checks.js');

/**
 * What has to be true of the spans of a run, each with what is not, in sentences. What happened is taken from what the
 * services printed, never from spans.
 * @param {readonly import('../../order-pipeline/lib/otlp.js').Span[]} spans all of the run
 * @param {readonly { id: string, outcome?: string, deliveries: readonly string[] }[]} orders with the queues that they were
 *   delivered from
 * @param {{ BILLING_QUEUE: string, DEAD_LETTER_QUEUE: string }} names
 * @returns {{ name: string, problems: string[] }[]}
 */
function verify(spans, orders, { BILLING_QUEUE, DEAD_LETTER_QUEUE }) {
  const handled = orders.map((order) => ({ ...order, spans: consumersOf(order, spans) }));
  return [
    { name: 'every delivery has one span', problems: handled.flatMap(miscounted) },
    { name: 'one trace per order, from the request to the last handler', problems: split(handled, spans, 'shop') },
    { name: 'attempts are counted', problems: handled.flatMap((order) => wrongAttempts(order, BILLING_QUEUE)) },
    {
      name: 'dead letters say where they died, and why',
      problems: handled.flatMap((order) => wrongDeaths(order, BILLING_QUEUE, DEAD_LETTER_QUEUE)),
    },
    { name: 'no orphan span', problems: orphans(spans) },
  ];
}

/** In the order in which they started. */
function consumersOf({ id }, spans) {
  return spans
    .filter(({ kind, attributes }) => kind === 'CONSUMER' && attributes['messaging.message.id'] === id)
    .sort((a, b) => a.startMs - b.startMs);
}

const queueOf = ({ attributes }) => attributes['messaging.destination.name'];

function miscounted({ id, outcome, deliveries, spans }) {
  if (outcome === undefined) return [`${id} did not reach its last handler`];
  const [told, found] = [deliveries.join(', '), spans.map(queueOf).join(', ')];
  return told === found ? [] : [`${id} was delivered from ${told}, and has spans of ${found || 'none'}`];
}

function wrongAttempts({ id, spans }, billing) {
  return spans
    .filter((span) => queueOf(span) === billing)
    .flatMap(({ attributes }, i) => {
      const before = attributes['messaging.message.retry.count'] ?? 0;
      return before === i ? [] : [`${id}: attempt ${i + 1} says that ${before} were before it`];
    });
}

function wrongDeaths({ id, spans }, billing, dead) {
  return spans.flatMap((span) => {
    const { 'messaging.dead_letter.source': source, 'messaging.dead_letter.reason': reason } = span.attributes;
    const [told, expected] = [
      `${source} ${reason}`,
      queueOf(span) === dead ? `${billing} rejected` : 'undefined undefined',
    ];
    return told === expected ? [] : [`${id}: in ${queueOf(span)} it says that it died so: ${told}`];
  });
}

module.exports = { verify };
