/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { consumerDestination, producerDestination } from '../src/operations';

test.each([
  ['direct_logs', 'warning', { name: 'direct_logs:warning' }],
  ['logs', '', { name: 'logs' }],
  ['', 'task_queue', { name: 'task_queue' }],
  ['', '', { name: 'amq.default' }],
  ['', 'amq.gen-Ab1', { name: 'amq.gen-Ab1', anonymous: true }],
  ['', 'amq.rabbitmq.reply-to.g1h2', { name: 'amq.rabbitmq.reply-to.g1h2', anonymous: true, temporary: true }],
  ['orders', 'amq.gen-Ab1', { name: 'orders:amq.gen-Ab1' }],
])('a publish to exchange "%s" with key "%s"', (exchange, routingKey, expected) => {
  expect(producerDestination(exchange, routingKey)).toEqual(expected);
});

test.each([
  ['direct_logs', 'warning', 'my_queue', { name: 'direct_logs:warning:my_queue' }],
  ['direct_logs', 'warning', 'warning', { name: 'direct_logs:warning' }],
  ['', 'task_queue', 'task_queue', { name: 'task_queue' }],
  ['logs', '', 'my_queue', { name: 'logs:my_queue' }],
  ['logs', 'a', 'amq.gen-Ab1', { name: 'logs:a:amq.gen-Ab1', anonymous: true }],
  [
    '',
    'amq.rabbitmq.reply-to.g1h2',
    'amq.rabbitmq.reply-to',
    { name: 'amq.rabbitmq.reply-to.g1h2', anonymous: true, temporary: true },
  ],
  ['', 'amq.gen-Ab1', '', { name: 'amq.gen-Ab1', anonymous: true }],
  ['logs', 'a', '', { name: 'logs:a' }],
  ['', '', '', undefined],
])('a delivery from exchange "%s" with key "%s" and queue "%s"', (exchange, routingKey, queue, expected) => {
  expect(consumerDestination({ exchange, routingKey, queue })).toEqual(expected);
});
