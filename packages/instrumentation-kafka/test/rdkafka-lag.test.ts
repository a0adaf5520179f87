/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { LagSource, OperationPlan, Telemetry } from '@otel-messaging/messaging-common';
import { Positions, type Watermarks } from '../src/clients/rdkafka-lag';

const PLAN = {} as OperationPlan;
const ASSIGNED = [{ topic: 'orders', partition: 0 }];

let sources: LagSource[];
let consumer: Watermarks | undefined;
let telemetry: {
  signals: { instruments: object | undefined };
  followLag(plan: OperationPlan, lag: LagSource): boolean;
};
let positions: Positions;

beforeEach(() => {
  sources = [];
  consumer = { assignments: () => ASSIGNED, getWatermarkOffsets: () => ({ highOffset: 10 }) };
  telemetry = {
    signals: { instruments: {} },
    followLag: (_, source) => sources.push(source) > 0,
  };
  positions = new Positions(telemetry as unknown as Telemetry, () => consumer);
});

const records = () => sources.map((source) => source.records());

test('from the record after the one that the application got to the end of the partition', () => {
  positions.delivered(PLAN, 'orders', 0, 3);
  expect(records()).toEqual([6]);
  positions.delivered(PLAN, 'orders', 0, '8');
  expect(records()).toEqual([1]);
  positions.delivered(PLAN, 'orders', 0, 12); // more than the last fetch knew of
  expect(records()).toEqual([0]);
});

test.each<[string, Watermarks | undefined]>([
  ['that is gone', undefined],
  ['without the partition', { ...watermarks(10), assignments: () => [{ topic: 'orders', partition: 1 }] }],
  ['that is disconnected', { ...watermarks(10), assignments: () => assert() }],
  ['that has fetched nothing yet', { assignments: () => ASSIGNED, getWatermarkOffsets: () => assert() }],
  ['that knows of no end', watermarks(-1001)],
  ['of another version', {}],
])('nothing of a consumer %s, until it delivers again', (_, other) => {
  positions.delivered(PLAN, 'orders', 0, 3);
  const before = consumer;
  consumer = other;
  expect(records()).toEqual([undefined]);
  consumer = before;
  positions.delivered(PLAN, 'orders', 0, 4);
  expect(sources.length).toBe(2);
  expect(sources[1]?.records()).toBe(5);
});

test.each([
  ['no offset', 0, undefined],
  ['an offset that is no number', 0, 'x'],
  ['no partition', undefined, 3],
])('a record with %s is not counted with', (_, partition, offset) => {
  positions.delivered(PLAN, 'orders', partition, offset);
  expect(sources).toEqual([]);
});

test('nothing is kept where there are no metrics', () => {
  telemetry.signals.instruments = undefined;
  positions.delivered(PLAN, 'orders', 0, 3);
  expect(sources).toEqual([]);
});

function watermarks(highOffset: number): Watermarks {
  return { assignments: () => ASSIGNED, getWatermarkOffsets: () => ({ highOffset }) };
}

function assert(): never {
  throw new Error('Client is disconnected');
}
