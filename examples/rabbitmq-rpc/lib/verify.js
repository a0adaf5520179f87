/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { groupBy } = require('../../order-pipeline/lib/group-by.js');
const { orphans, split } = require('../../lib/checks.js');

/** Calls for each question: prices, taxes, stock. */
const CALLS = 3;

/**
 * What has to be true of the spans of a run, each with what is not, in sentences.
 * @param {readonly import('../../order-pipeline/lib/otlp.js').Span[]} spans all of the run
 * @param {readonly { name: string }[]} questions that the shop was asked
 * @returns {{ name: string, problems: string[] }[]}
 */
function verify(spans, questions) {
  const calls = [...groupBy(spans, ({ attributes }) => attributes['messaging.message.conversation_id'])].map(
    ([id, own]) => ({ id, spans: own }),
  );
  const asked = spans.filter(({ kind, parentSpanId }) => kind === 'SERVER' && !parentSpanId);
  const groups = asked.map(({ traceId }, i) => ({
    id: `question ${i + 1}`,
    spans: spans.filter((s) => s.traceId === traceId),
  }));
  return [
    { name: 'every call was seen', problems: uncalled(calls, questions, groups) },
    {
      name: 'a call is a request, its handling, the reply, its handling, each below the one before',
      problems: calls.flatMap(broken),
    },
    { name: 'one trace per question, whatever it asks of others', problems: split(groups, spans, 'shop') },
    { name: "names that the broker makes up are in no span's name", problems: madeUp(spans) },
    { name: 'no orphan span', problems: orphans(spans) },
  ];
}

function uncalled(calls, questions, groups) {
  const expected = questions.length * CALLS;
  return [
    ...(calls.length === expected ? [] : [`${calls.length} conversations instead of ${expected}`]),
    ...(groups.length === questions.length ? [] : [`${groups.length} traces instead of ${questions.length}`]),
  ];
}

function broken({ id, spans }) {
  const chain = [];
  const isFirst = (span) => !spans.some(({ spanId }) => spanId === span.parentSpanId);
  for (
    let span = spans.find(isFirst);
    span !== undefined;
    span = spans.find(({ parentSpanId }) => parentSpanId === chain.at(-1)?.spanId)
  ) {
    chain.push(span);
  }
  const kinds = chain.map(({ kind }) => kind).join(', ');
  const isWhole = kinds === 'PRODUCER, CONSUMER, PRODUCER, CONSUMER' && chain.length === spans.length;
  const traces = new Set(spans.map(({ traceId }) => traceId));
  return [
    ...(isWhole ? [] : [`${id} is ${kinds || 'nothing'} of ${spans.length} spans`]),
    ...(traces.size === 1 && chain[0]?.parentSpanId ? [] : [`${id} is not within the trace of its question`]),
  ];
}

function madeUp(spans) {
  return spans.filter(({ name }) => name.includes('amq.')).map(({ service, name }) => `${service}: ${name}`);
}

module.exports = { verify };
