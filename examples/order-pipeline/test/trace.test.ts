/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { goodRun, type TestSpan } from './pipeline-spans';

const { layOut, summarise } = require('../lib/trace.js') as {
  layOut: (spans: TestSpan[]) => {
    rows: {
      span: TestSpan;
      depth: number;
      orphan: boolean;
      queue?: { startMs: number; endMs: number; place: string };
    }[];
    queueMs: number;
  };
  summarise: (spans: TestSpan[]) => object;
};

const traceOf = (order: number) => goodRun().spans.filter(({ traceId }) => traceId === String(order).padStart(32, '0'));

/** The layout as text: indented names, and what the message waited for before. */
function outline(spans: TestSpan[]): string[] {
  return layOut(spans).rows.map(({ span, depth, orphan, queue }) => {
    const waited = queue ? ` after ${queue.endMs - queue.startMs} ms in ${queue.place}` : '';
    return `${'  '.repeat(depth)}${span.service}: ${span.name}${orphan ? ' (orphan)' : ''}${waited}`;
  });
}

test('children stand below their parents with the time that their message waited', () => {
  expect(outline(traceOf(3).reverse())).toEqual([
    'gateway: POST',
    '  gateway: send orders',
    '    orders: process orders after 11 ms in SQS orders',
    '      orders: send accepted-orders',
    '        payments: process accepted-orders after 30 ms in Kafka accepted-orders',
    '          payments: publish shop:order.paid',
    '            shipping: consume shop:order.paid:shipping after 2 ms in RabbitMQ shipping',
    '            shipping: consume shop:order.retry.1:shipping after 150 ms in retry queue',
    '            shipping: consume shop:order.retry.2:shipping after 300 ms in retry queue',
    '            dead-letters: consume shipping.dead after 450 ms in RabbitMQ shipping.dead',
    '      orders: delete orders',
  ]);
});

test('a consumer that begins before its producer has the answer did not wait', () => {
  const spans = traceOf(1);
  spans.find(({ name }) => name === 'process orders')!.startMs = 10;
  expect(outline(spans)[2]).toBe('    orders: process orders after 0 ms in SQS orders');
});

test('a span without its parent stands by itself, marked', () => {
  const spans = traceOf(1).filter(({ name }) => name !== 'send accepted-orders');
  expect(outline(spans)).toContain('payments: process accepted-orders (orphan)');
});

test('the figures of an order count deliveries as hops', () => {
  expect(summarise(traceOf(1))).toEqual({ spans: 8, services: 4, hops: 3, queueMs: 43, totalMs: 121 });
  expect(summarise(traceOf(3))).toMatchObject({ spans: 11, services: 5, hops: 6 });
});
