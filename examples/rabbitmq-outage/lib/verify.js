/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { groupBy } = require('../../order-pipeline/lib/group-by.js');
const { orphans, split } = require('../../lib/checks.js');

/** Clocks of processes and of their spans differ by some milliseconds. */
const CLOCKS_MS = 20;

/**
 * What has to be true of the spans of a run, each with what is not, in sentences.
 * @param {readonly import('../../order-pipeline/lib/otlp.js').Span[]} spans all of the run
 * @param {readonly { id: string, waitedMs: number }[]} orders and how long the outage lasted after they were taken
 * @returns {{ name: string, problems: string[] }[]}
 */
function verify(spans, orders) {
  const byOrder = groupBy(
    spans.filter(({ kind }) => kind === 'PRODUCER' || kind === 'CONSUMER'),
    ({ attributes }) => attributes['messaging.message.id'],
  );
  const groups = orders.map(({ id }) => ({ id, spans: byOrder.get(id) ?? [] }));
  return [
    { name: 'one trace per order, from the request to the mail', problems: split(groups, spans, 'shop') },
    { name: 'one publish per order, however long it waited', problems: groups.flatMap(notOnce) },
    {
      name: 'a publish that waited for the outage to end is as long as it waited',
      problems: orders.flatMap(({ id, waitedMs }) => tooShort(id, waitedMs, byOrder.get(id) ?? [])),
    },
    {
      name: 'the mail is sent within the handling of the order',
      problems: groups.flatMap((group) => outside(group, spans)),
    },
    { name: 'no orphan span', problems: orphans(spans) },
  ];
}

function notOnce({ id, spans }) {
  const count = spans.filter(({ kind }) => kind === 'PRODUCER').length;
  return count === 1 ? [] : [`${id} was published ${count} times`];
}

function tooShort(id, waitedMs, spans) {
  const publish = spans.find(({ kind }) => kind === 'PRODUCER');
  const durationMs = publish === undefined ? 0 : publish.endMs - publish.startMs;
  return durationMs + CLOCKS_MS >= waitedMs
    ? []
    : [`${id} waited ${waitedMs} ms, its publish ${Math.round(durationMs)}`];
}

function outside({ id, spans: own }, spans) {
  const handlings = own.filter(({ kind }) => kind === 'CONSUMER');
  if (handlings.length === 0) return [`${id} was not handled`];
  const mails = spans.filter(
    ({ kind, parentSpanId }) => kind === 'CLIENT' && handlings.some(({ spanId }) => spanId === parentSpanId),
  );
  if (mails.length === 0) return [`${id} has no mail`];
  const isWithin = ({ parentSpanId, endMs }) =>
    endMs <= handlings.find(({ spanId }) => spanId === parentSpanId).endMs + CLOCKS_MS;
  return mails.every(isWithin) ? [] : [`${id} was mailed after its handling`];
}

module.exports = { verify };
