/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { OperationPlan, Telemetry } from '@otel-messaging/messaging-common';
import { ConsumerLag } from '../src/consumer-lag';
import type { TopicPlans } from '../src/operations';

/** What is recorded, by topic and partition. */
let recorded: Record<string, number | undefined>;
let lag: ConsumerLag;

beforeEach(() => {
  recorded = {};
  const recordLag = (plan: OperationPlan, records: number | undefined) => {
    recorded[plan.spanName] = records;
  };
  const of = (topic: string, partition: number) => ({ spanName: `${topic}/${partition}` });
  lag = new ConsumerLag({ recordLag } as unknown as Telemetry, { of } as unknown as TopicPlans);
});

test('from the first record that was fetched to the end, and less with each position', () => {
  lag.fetched('orders', 0, '100', '40');
  expect(recorded).toEqual({ 'orders/0': 60 });
  lag.reached('orders', 0, '70');
  expect(recorded).toEqual({ 'orders/0': 30 });
  lag.reached('orders', 0, '100');
  lag.fetched('orders', 1, '5', '5');
  expect(recorded).toEqual({ 'orders/0': 0, 'orders/1': 0 });
});

test('a position says nothing of a partition that was never fetched', () => {
  lag.reached('orders', 0, '70');
  expect(recorded).toEqual({});
});

test.each([
  ['null', null],
  ['no number', 'x'],
  ['negative', '-1'],
  ['too large to be exact', '9007199254740993'],
])('what is %s is not counted with', (_, offset) => {
  lag.fetched('orders', 0, offset, '1');
  lag.fetched('orders', 1, '10', offset);
  expect(recorded).toEqual({});
});

test('partitions that are not in the new assignment are let go', () => {
  for (const partition of [0, 1]) lag.fetched('orders', partition, '10', '5');
  lag.fetched('bills', 0, '10', '5');
  lag.assigned({ orders: [1, 2] });
  expect(recorded).toEqual({ 'orders/0': undefined, 'orders/1': 5, 'bills/0': undefined });
  lag.reached('orders', 0, '6');
  lag.reached('orders', 1, '6');
  expect(recorded).toEqual({ 'orders/0': undefined, 'orders/1': 4, 'bills/0': undefined });
});
