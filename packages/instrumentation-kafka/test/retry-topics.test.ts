/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { isAttemptOf, namedRetryTopic, type RetryOptions, type RetryTopic, RetryTopics } from '../src/retry-topics';

const text = (topic: RetryTopic | undefined) =>
  topic === undefined ? 'none' : `${topic.kind} of ${topic.source ?? 'several'}`;

test.each([
  ['orders.retry', 'retry of orders'],
  ['orders-retry-5s', 'retry of orders'],
  ['orders.retry.1', 'retry of orders'],
  ['orders-retry-1000', 'retry of orders'],
  [`orders-retry-${'1'.repeat(200)}`, 'retry of orders'],
  ['orders_retries', 'retry of orders'],
  ['orders.retry-2.500ms', 'retry of orders'],
  ['orders__retry__1', 'retry of orders'],
  ['shop.orders.v1-retry-topic', 'retry of shop.orders.v1'],
  ['retry.orders', 'retry of orders'],
  ['orders.DLT', 'dead-letter of orders'],
  ['orders-dlq', 'dead-letter of orders'],
  ['orders.dead-letter', 'dead-letter of orders'],
  ['orders-deadletters', 'dead-letter of orders'],
  ['orders-dead-letter-queue', 'dead-letter of orders'],
  ['orders-retry-dlt', 'dead-letter of orders'],
  ['orders.retry.2.dlq', 'dead-letter of orders'],
  ['DLQ_orders', 'dead-letter of orders'],
  ['dead-letters', 'dead-letter of several'],
  ['dlq', 'dead-letter of several'],
  ['dead_letter_queue', 'dead-letter of several'],
  ['orders', 'none'],
  ['retry', 'none'],
  ['retryorders', 'none'],
  ['orders-retry-settings', 'none'],
  ['ordersretry', 'none'],
  ['poetry', 'none'],
  ['', 'none'],
  ['orders.dlq.audit', 'none'],
  [`${'o'.repeat(300)}.retry`, 'none'],
])('%s: %s', (topic, expected) => {
  expect(text(namedRetryTopic(topic))).toBe(expected);
});

test('a hostile name takes no time', () => {
  const startedMs = performance.now();
  for (const part of ['.', '-retry', '5s', 'dead-']) namedRetryTopic(part.repeat(60).slice(0, 249));
  expect(namedRetryTopic(`orders-retry-${'1'.repeat(30)}x`)).toBeUndefined(); // a hash, perhaps
  expect(performance.now() - startedMs).toBeLessThan(1_000);
});

test.each<[string, string, string | undefined, boolean]>([
  ['orders.retry', 'orders', undefined, true],
  ['orders.retry.2', 'orders.retry.1', undefined, true],
  ['orders.DLT', 'orders.retry', undefined, true],
  ['dead-letters', 'orders', undefined, true],
  ['orders-mailer-retry-0', 'orders', 'mailer', true],
  ['orders-mailer-dlt', 'orders', 'mailer', true],
  ['orders-mailer-dlt', 'orders-mailer-retry-0', 'mailer', true],
  ['bills.retry', 'orders', 'mailer', false],
  ['orders-mailer-retry-0', 'orders', 'biller', false],
  ['orders-mailer-retry-0', 'orders', undefined, false],
  ['bills.retry', 'dead-letters', undefined, false],
])('a message to %s from %s in group %s is another attempt: %s', (target, topic, group, expected) => {
  expect(isAttemptOf(namedRetryTopic(target) as RetryTopic, topic, namedRetryTopic(topic), group)).toBe(expected);
});

describe('the option', () => {
  const told: RetryTopic = { kind: 'retry', source: 'orders' };

  test('a function goes before names', () => {
    const topics = new RetryTopics({ retryTopics: (topic) => (topic === 'later' ? told : undefined) });
    expect([topics.of('later'), text(topics.of('orders.dlq')), topics.of('orders')]).toEqual([
      told,
      'dead-letter of orders',
      undefined,
    ]);
  });

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('x');
      },
    ],
    ['answers nonsense', () => 'retry'],
    ['answers null', () => null],
  ])('a function that %s has said nothing', (_, retryTopics) => {
    const topics = new RetryTopics({ retryTopics: retryTopics as never });
    expect([text(topics.of('a.retry')), text(topics.of('a'))]).toEqual(['retry of a', 'none']);
  });

  test('false turns it off, also later', () => {
    const options: RetryOptions = { retryTopics: true };
    const topics = new RetryTopics(options);
    expect(text(topics.of('a.retry'))).toBe('retry of a');
    options.retryTopics = false;
    expect(text(topics.of('a.retry'))).toBe('none');
  });

  test('is asked once for each topic', () => {
    let asked = 0;
    const topics = new RetryTopics({
      retryTopics: () => {
        asked++;
        return undefined;
      },
    });
    for (const topic of ['a', 'b', 'a', 'a', 'b']) topics.of(topic);
    expect([asked, topics.of(undefined)]).toEqual([2, undefined]);
  });
});
