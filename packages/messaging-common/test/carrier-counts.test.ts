/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { metrics } from '@opentelemetry/api';
import { CarrierCounts } from '../src';
import { Rig } from './support';

let rig: Rig;

beforeEach(() => {
  rig = new Rig();
});

afterEach(() => rig.tracing.stop());

async function counted(): Promise<unknown[]> {
  const all = await rig.tracing.metrics();
  const points = all.find(({ descriptor }) => descriptor.name === 'messaging.message.injections')?.dataPoints ?? [];
  return points.map(({ attributes, value }) => [attributes['messaging.message.carrier'], value]);
}

test('messages are counted by what they carry, under the attributes of their send', async () => {
  const counts = new CarrierCounts(rig.telemetry, rig.plan('send'));
  rig.telemetry.isOn();
  for (const carrier of ['complete', 'complete', 'none'] as const) counts.add(carrier);
  expect(await counted()).toEqual([
    ['complete', 2],
    ['none', 1],
  ]);
});

test('what is counted twice for one destination is one series', async () => {
  rig.telemetry.isOn();
  for (let i = 0; i < 2; i++) new CarrierCounts(rig.telemetry, rig.plan('send')).add('traceparent');
  expect(await counted()).toEqual([['traceparent', 2]]);
});

test('without a meter provider nothing is counted', () => {
  metrics.disable();
  rig.telemetry.isOn();
  expect(() => new CarrierCounts(rig.telemetry, rig.plan('send')).add('complete')).not.toThrow();
});
