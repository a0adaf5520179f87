/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes, Histogram } from '@opentelemetry/api';
import {
  AggregationTemporality,
  AggregationType,
  createAllowListAttributesProcessor,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type ViewOptions,
} from '@opentelemetry/sdk-metrics';
import { Measurements } from '../src/measurements';

const { CUMULATIVE, DELTA } = AggregationTemporality;
const ORDERS = { queue: 'orders', host: 'a' };
const BILLS = { queue: 'bills', host: 'a' };

/** Two histograms alike, one measured through `Measurements`, one through its own method. */
class Twins {
  private readonly readers;
  private readonly provider: MeterProvider;
  readonly ours: Histogram;
  private readonly theirs: Histogram;
  /** Of our histogram, how often the SDK's own method was called. */
  readonly calls: jest.SpyInstance;

  constructor(temporalities: AggregationTemporality[], views: Omit<ViewOptions, 'instrumentName'>[] = []) {
    this.readers = temporalities.map((temporality) => {
      const exporter = new InMemoryMetricExporter(temporality);
      return { exporter, reader: new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 }) };
    });
    this.provider = new MeterProvider({
      readers: this.readers.map(({ reader }) => reader),
      views: views.map((view) => ({ ...view, instrumentName: '*' })),
    });
    const meter = this.provider.getMeter('x');
    this.ours = meter.createHistogram('ours', { advice: { explicitBucketBoundaries: [1, 10] } });
    this.theirs = meter.createHistogram('theirs', { advice: { explicitBucketBoundaries: [1, 10] } });
    this.calls = jest.spyOn(Object.getPrototypeOf(this.ours), 'record');
  }

  measurements(attributes: Attributes) {
    const ours = new Measurements(this.ours, attributes);
    return {
      record: (value: number) => {
        ours.record(value);
        this.theirs.record(value, attributes);
      },
    };
  }

  callsOfOurs(): number {
    return this.calls.mock.contexts.filter((histogram) => histogram === this.ours).length;
  }

  /** What each reader reads of either histogram. */
  async collect() {
    await this.provider.forceFlush();
    const read = this.readers.map(({ exporter }) => {
      const metrics = exporter
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics)
        .flatMap(({ metrics }) => metrics);
      exporter.reset();
      const points = (name: string) =>
        metrics
          .filter(({ descriptor }) => descriptor.name === name)
          .flatMap(({ dataPoints }) => dataPoints.map(({ attributes, value }) => ({ attributes, value })));
      return { ours: points('ours'), theirs: points('theirs') };
    });
    return { ours: read.map(({ ours }) => ours), theirs: read.map(({ theirs }) => theirs) };
  }

  async stop() {
    this.calls.mockRestore();
    await this.provider.shutdown();
  }
}

let twins: Twins;
afterEach(() => twins.stop());

test.each<[string, AggregationTemporality[], Omit<ViewOptions, 'instrumentName'>[], boolean]>([
  ['cumulative', [CUMULATIVE], [], true],
  ['of differences', [DELTA], [], true],
  ['of several readers', [CUMULATIVE, DELTA], [], false],
  ['in buckets of its own', [DELTA], [{ aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }], true],
  ['as a sum', [DELTA], [{ aggregation: { type: AggregationType.SUM } }], false],
  ['dropped', [DELTA], [{ aggregation: { type: AggregationType.DROP } }], false],
  [
    'with fewer attributes',
    [DELTA],
    [{ attributesProcessors: [createAllowListAttributesProcessor(['queue'])] }],
    false,
  ],
  ['with room for one set of attributes', [DELTA], [{ aggregationCardinalityLimit: 2 }], true],
])('a histogram %s has what it would have otherwise', async (_, temporalities, views, isQuick) => {
  twins = new Twins(temporalities, views);
  const [orders, alike, bills] = [ORDERS, { ...ORDERS }, BILLS].map((attributes) => twins.measurements(attributes));
  const collections = [];
  for (const values of [[0.5, 5, 50, 7], [3], [], [2, 0.1, Number.NaN, 4]]) {
    for (const value of values) {
      orders?.record(value);
      alike?.record(value * 2);
      bills?.record(value * 3);
    }
    collections.push(await twins.collect());
  }
  for (const { ours, theirs } of collections) expect(ours).toEqual(theirs);
  const measured = 9 * 3;
  if (isQuick) expect(twins.callsOfOurs()).toBeLessThan(measured);
  else expect(twins.callsOfOurs()).toBe(measured);
});

test('the histogram itself is asked once in each time between two collections', async () => {
  twins = new Twins([CUMULATIVE]);
  const orders = twins.measurements(ORDERS);
  for (let collection = 1; collection <= 3; collection++) {
    for (let i = 0; i < 100; i++) orders.record(i);
    expect(twins.callsOfOurs()).toBe(collection);
    await twins.collect();
  }
});

test('a histogram whose method somebody replaces is asked each time', async () => {
  twins = new Twins([CUMULATIVE]);
  const measurements = new Measurements(twins.ours, ORDERS);
  measurements.record(1);
  measurements.record(2);
  const seen: number[] = [];
  twins.ours.record = (value) => seen.push(value);
  measurements.record(3);
  measurements.record(4);
  expect(seen).toEqual([3, 4]);
});

test.each<[string, (histogram: Histogram) => object]>([
  ['the instrument', (histogram) => histogram],
  ['its storage', (histogram) => Reflect.get(histogram, '_writableMetricStorage')],
  [
    'where it adds up',
    (histogram) => Reflect.get(Reflect.get(histogram, '_writableMetricStorage'), '_deltaMetricStorage'),
  ],
])('where %s has a field that we do not know, it may do more than we see', (_, partOf) => {
  twins = new Twins([CUMULATIVE]);
  Object.assign(partOf(twins.ours), { _exemplars: [] });
  const orders = twins.measurements(ORDERS);
  for (let i = 0; i < 5; i++) orders.record(i);
  expect(twins.callsOfOurs()).toBe(5);
});

test('a histogram of another SDK is asked each time', () => {
  twins = new Twins([]);
  const record = jest.fn();
  const orders = new Measurements({ record }, ORDERS);
  orders.record(1);
  orders.record(2);
  expect(record.mock.calls).toEqual([
    [1, ORDERS],
    [2, ORDERS],
  ]);
});
