/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { SpanKind } from '@opentelemetry/api';

const { problemsOf } = require('../verify.js') as { problemsOf: (spans: object[], handled: object[]) => string[] };

const span = (kind: SpanKind, spanId: string, more: object = {}) => ({
  name: 'publish orders',
  kind,
  instrumentationScope: { name: 'ours' },
  attributes: {},
  spanContext: () => ({ spanId }),
  ...more,
});

const consumer = (parent: string, queue: string, settlement = 'delete') =>
  span(SpanKind.CONSUMER, `${parent}-${queue}`, {
    parentSpanContext: { spanId: parent },
    attributes: { 'messaging.destination.name': `${queue}-1-2`, 'messaging.message.settlement': settlement },
  });

const producers = ['a', 'b', 'c'].map((id) => span(SpanKind.PRODUCER, id));
const consumers = ['a', 'b', 'c'].flatMap((id) => [consumer(id, 'billing'), consumer(id, 'mail')]);
const handled = consumers.map(() => ({}));

test('traces as the README shows them have no problem', () => {
  expect(problemsOf([...producers, ...consumers], handled)).toEqual([]);
});

test.each([
  ['a delivery without a span', [...producers, ...consumers.slice(1)], '5 consumer spans for 6 deliveries'],
  ['a publish without a span', [...producers.slice(1), ...consumers], '2 producer spans for three orders'],
  [
    'a message handled in the trace of another',
    [...producers, ...consumers.slice(1), consumer('b', 'billing')],
    'publish orders was handled by [mail]',
  ],
  [
    'a message that was not deleted',
    [...producers, ...consumers.slice(1), consumer('a', 'billing', 'retry')],
    'a message was not deleted',
  ],
])('%s is a problem', (_, spans, problem) => {
  expect(problemsOf(spans, handled)).toContain(problem);
});
