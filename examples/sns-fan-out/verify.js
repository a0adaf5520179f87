/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { SpanKind } = require('@opentelemetry/api');

/** What is wrong with the traces of the shop; nothing if they are as the README shows them. */
function problemsOf(spans, handled) {
  const problems = [];
  const producers = spans.filter(({ kind }) => kind === SpanKind.PRODUCER);
  const consumers = spans.filter(({ kind }) => kind === SpanKind.CONSUMER);
  if (producers.length !== 3) problems.push(`${producers.length} producer spans for three orders`);
  if (consumers.length !== handled.length) {
    problems.push(`${consumers.length} consumer spans for ${handled.length} deliveries`);
  }
  if (new Set(spans.map(({ instrumentationScope: { name } }) => name)).size !== 1) problems.push('spans of others');
  for (const producer of producers) {
    const { spanId } = producer.spanContext();
    const below = consumers.filter(({ parentSpanContext }) => parentSpanContext?.spanId === spanId);
    const queues = below.map(({ attributes }) => String(attributes['messaging.destination.name']).split('-')[0]);
    if (queues.sort().join() !== 'billing,mail') problems.push(`${producer.name} was handled by [${queues}]`);
    for (const consumer of below) {
      if (consumer.attributes['messaging.message.settlement'] !== 'delete') problems.push('a message was not deleted');
    }
  }
  return problems;
}

module.exports = { problemsOf };
