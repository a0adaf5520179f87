/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { OperationPlan } from '../src/plan';
import { Rig } from './support';

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(async () => {
  expect(rig.reports).toEqual([]);
  await rig.tracing.stop();
});

const partition = (partitionId: string): OperationPlan =>
  rig.plan('process', { destination: { name: 'orders', partitionId }, consumerGroup: 'mailer' });

/** Lag by partition, or undefined if nothing is reported. */
async function lags(): Promise<Record<string, unknown> | undefined> {
  const metrics = await rig.tracing.metrics();
  const points = metrics.find(({ descriptor }) => descriptor.name === 'kafka.consumer.records_lag')?.dataPoints;
  return points && Object.fromEntries(points.map(({ attributes, value }) => [attributes[PARTITION], value]));
}
const PARTITION = 'messaging.destination.partition.id';

test('the last lag of each partition is reported, and zero once it is not ours any more', async () => {
  const [first, second] = [partition('0'), partition('1')];
  rig.telemetry.recordLag(first, 5);
  rig.telemetry.recordLag(first, 3);
  rig.telemetry.recordLag(second, 7);
  expect(await lags()).toEqual({ 0: 3, 1: 7 });
  rig.telemetry.recordLag(first, undefined);
  expect(await lags()).toEqual({ 0: 0, 1: 7 });
  rig.telemetry.recordLag(first, 2);
  expect(await lags()).toEqual({ 0: 2, 1: 7 });
});

test('it says which partition of what, and nothing of an operation', async () => {
  rig.telemetry.recordLag(partition('0'), 5);
  const metric = (await rig.tracing.metrics()).find(({ descriptor }) => descriptor.name.includes('lag'));
  expect(metric?.descriptor.unit).toBe('{record}');
  expect(metric?.dataPoints[0]?.attributes).toEqual({
    'messaging.system.name': 'memory',
    'messaging.destination.name': 'orders',
    [PARTITION]: '0',
    'messaging.consumer.group.name': 'mailer',
  });
});

test('no instrument is made where no lag is ever recorded', async () => {
  rig.sent();
  expect(await lags()).toBeUndefined();
});

test('of two consumers of one process, the one that has the partition counts', async () => {
  const [first, second] = [partition('0'), partition('0')];
  rig.telemetry.recordLag(first, 3);
  rig.telemetry.recordLag(first, undefined);
  rig.telemetry.recordLag(second, 2);
  expect(await lags()).toEqual({ 0: 2 });
  rig.telemetry.recordLag(second, undefined);
  rig.telemetry.recordLag(first, 1);
  expect(await lags()).toEqual({ 0: 1 });
});

test('those that are gone make room for others', async () => {
  const plans = Array.from({ length: 1001 }, (_, i) => partition(String(i)));
  for (const plan of plans.slice(0, 1000)) rig.telemetry.recordLag(plan, 1);
  rig.telemetry.recordLag(plans[7] as OperationPlan, undefined);
  rig.telemetry.recordLag(plans[1000] as OperationPlan, 2);
  expect(await lags()).toMatchObject({ 0: 1, 1000: 2 });
});

test('partitions beyond all bounds are left out, and a lag is never negative', async () => {
  const plans = Array.from({ length: 1001 }, (_, i) => partition(String(i)));
  for (const plan of plans) rig.telemetry.recordLag(plan, -1);
  const reported = await lags();
  expect(reported).toMatchObject({ 0: 0 });
  expect(reported).not.toHaveProperty('1000');
});

test('nothing is recorded while the instrumentation is off', async () => {
  rig.instrumentation.disable();
  rig.telemetry.recordLag(partition('0'), 5);
  expect(await lags()).toBeUndefined();
});

test('a source is asked at each collection, until it knows of nothing more', async () => {
  const plan = partition('0');
  let records: number | undefined = 5;
  expect(rig.telemetry.followLag(plan, { records: () => records })).toBe(true);
  expect(await lags()).toEqual({ 0: 5 });
  records = 2;
  expect(await lags()).toEqual({ 0: 2 });
  records = undefined;
  expect(await lags()).toEqual({ 0: 0 });
  records = 7;
  expect(await lags()).toEqual({ 0: 0 });
  rig.telemetry.followLag(plan, { records: () => records });
  expect(await lags()).toEqual({ 0: 7 });
});
