/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { groupBy } = require('./group-by.js');
const { messageOf } = require('./message.js');

/**
 * What has to be true of the spans of a run, each with what is not, in sentences.
 * @param {readonly import('./otlp.js').Span[]} spans all of the run
 * @param {readonly import('./journal.js').OrderFacts[]} orders what the application says happened
 * @param {readonly string[]} services
 * @returns {{ name: string, problems: string[] }[]}
 */
function verify(spans, orders, services) {
  const run = {
    spans,
    orders,
    services,
    traces: groupBy(spans, ({ traceId }) => traceId),
    messages: groupBy(spans, messageOf),
  };
  return [
    { name: 'every order went the whole way', problems: incomplete(run) },
    { name: 'one trace per order, from the gateway to the last handler', problems: split(run) },
    { name: 'no orphan span', problems: orphans(run) },
    { name: 'no span twice', problems: twice(run) },
    { name: 'every consumer span under its own producer', problems: strangers(run) },
    { name: 'all services seen', problems: unseen(run) },
  ];
}

/** Deliveries of each of an order's messages that the application knows of, by the message. */
function deliveriesOf({ messages, outcome, attempts }) {
  const shipping = attempts + (outcome === 'dead-lettered' ? 1 : 0);
  return [
    { system: 'SQS', message: messages.sqs, deliveries: 1 },
    { system: 'Kafka', message: messages.kafka, deliveries: 1 },
    { system: 'RabbitMQ', message: messages.rabbitmq, deliveries: shipping },
  ];
}

function incomplete({ orders, messages }) {
  return orders.flatMap((order) => {
    if (!order.outcome) return [`${order.id} did not reach its last handler`];
    return deliveriesOf(order).flatMap(({ system, message, deliveries }) => {
      if (!message) return [`${order.id}: no service named its ${system} message`];
      const spans = messages.get(message) ?? [];
      const { sent, handled } = sidesOf(spans);
      return [
        ...(sent.length === 0 ? [`${order.id}: no producer span for its ${system} message (${message})`] : []),
        ...(handled.length < deliveries
          ? [
              `${order.id}: ${handled.length} consumer spans for ${deliveries} deliveries of its ${system} message (${message})`,
            ]
          : []),
      ];
    });
  });
}

function split({ orders, traces, messages }) {
  const owners = new Map();
  return orders.flatMap((order) => {
    const spans = deliveriesOf(order).flatMap(({ message }) => messages.get(message) ?? []);
    const ids = [...new Set(spans.map(({ traceId }) => traceId))];
    if (ids.length !== 1) return [`${order.id} is in ${ids.length} traces${ids.length ? `: ${ids.join(', ')}` : ''}`];
    const [id] = ids;
    const owner = owners.get(id);
    owners.set(id, order.id);
    const roots = traces.get(id).filter(({ parentSpanId }) => !parentSpanId);
    const last = order.outcome === 'dead-lettered' ? 'dead-letters' : 'shipping';
    return [
      ...(owner ? [`${order.id} shares trace ${id} with ${owner}`] : []),
      ...(roots.length === 1 && roots[0].kind === 'SERVER' && roots[0].service === 'gateway'
        ? []
        : [
            `${order.id}: trace ${id} begins with ${roots.map(nameOf).join(' and ') || 'nothing'}, not with the gateway's request`,
          ]),
      ...(traces.get(id).some(({ kind, service }) => kind === 'CONSUMER' && service === last)
        ? []
        : [`${order.id}: its last handler, in ${last}, is not in trace ${id}`]),
    ];
  });
}

function orphans({ traces }) {
  return [...traces.values()].flatMap((spans) => {
    const ids = new Set(spans.map(({ spanId }) => spanId));
    return spans
      .filter(({ parentSpanId }) => parentSpanId && !ids.has(parentSpanId))
      .map((span) => `${nameOf(span)}: its parent ${span.parentSpanId} is not in trace ${span.traceId}`);
  });
}

function twice({ spans, orders, messages }) {
  const repeated = [...groupBy(spans, ({ spanId }) => spanId).values()].filter((group) => group.length > 1);
  return [
    ...repeated.map(([span, ...others]) => `${nameOf(span)} (${span.spanId}) arrived ${others.length + 1} times`),
    ...orders.flatMap((order) =>
      deliveriesOf(order).flatMap(({ system, message, deliveries }) => {
        const { sent, handled } = sidesOf(messages.get(message) ?? []);
        return [
          ...(sent.length > 1
            ? [`${order.id}: ${sent.length} producer spans for its ${system} message (${message})`]
            : []),
          ...(handled.length > deliveries
            ? [
                `${order.id}: ${handled.length} consumer spans for ${deliveries} deliveries of its ${system} message (${message})`,
              ]
            : []),
        ];
      }),
    ),
  ];
}

function strangers({ orders, messages }) {
  const known = new Set(orders.flatMap((order) => Object.values(order.messages)));
  return [...messages].flatMap(([message, spans]) => {
    const { sent, handled } = sidesOf(spans);
    if (handled.length > 0 && !known.has(message))
      return handled.map((span) => `${nameOf(span)} is about ${message}, which nobody sent`);
    const producers = new Set(sent.map(({ traceId, spanId }) => `${traceId}/${spanId}`));
    return handled
      .filter(({ traceId, parentSpanId }) => !producers.has(`${traceId}/${parentSpanId}`))
      .map((span) => `${nameOf(span)} of ${message} is not under the span that sent this message`);
  });
}

function unseen({ spans, services }) {
  const seen = new Set(spans.map(({ service }) => service));
  return services.filter((service) => !seen.has(service)).map((service) => `no span of ${service}`);
}

const sidesOf = (spans) => ({
  sent: spans.filter(({ kind }) => kind === 'PRODUCER'),
  handled: spans.filter(({ kind }) => kind === 'CONSUMER'),
});

const nameOf = ({ service, name, kind }) => `${service}: ${name} ${kind}`;

module.exports = { verify };
