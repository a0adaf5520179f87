/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type Attributes, metrics as metricsApi } from '@opentelemetry/api';
import {
  AggregationTemporality,
  type DataPoint,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { instrumentsOf, MessageCounter } from '../src/metrics';
import { DURATION_BUCKETS_S } from '../src/semconv';
import { Rig, TestInstrumentation, writer } from './support';

/** A provider with readers of both kinds. */
function metering() {
  const readers = [AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA].map((temporality) => {
    const exporter = new InMemoryMetricExporter(temporality);
    return { exporter, reader: new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 }) };
  });
  const provider = new MeterProvider({ readers: readers.map(({ reader }) => reader) });
  const collect = async () => {
    await provider.forceFlush();
    return readers.map(({ exporter }) => {
      const points = exporter
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics)
        .flatMap(({ metrics }) => metrics)
        .filter(({ descriptor }) => descriptor.name === 'messaging.client.sent.messages')
        .flatMap(({ dataPoints }) => dataPoints as DataPoint<number>[])
        .map(({ attributes, value }) => [
          attributes['messaging.destination.name'] ?? attributes['a'] ?? 'overflow',
          value,
        ]);
      exporter.reset();
      return Object.fromEntries(points) as Record<string, number>;
    });
  };
  return { provider, collect };
}

describe('a counter of messages', () => {
  test('counts for cumulative and delta readers', async () => {
    const { provider, collect } = metering();
    const counter = new MessageCounter(provider.getMeter('x'), 'messaging.client.sent.messages', '');
    counter.seriesOf({ a: 'x' }).count += 2;
    expect(await collect()).toEqual([{ x: 2 }, { x: 2 }]);
    counter.seriesOf({ a: 'x' }).count += 3;
    counter.seriesOf({ a: 'y' }).count += 1;
    const [cumulative, delta] = await collect();
    expect(cumulative).toEqual({ x: 5, y: 1 });
    expect(delta).toMatchObject({ x: 3, y: 1 });
    await provider.shutdown();
  });

  test('has one series for equal attributes', () => {
    const { provider } = metering();
    const counter = new MessageCounter(provider.getMeter('x'), 'n', '');
    expect(counter.seriesOf({ a: 'x' })).toBe(counter.seriesOf({ a: 'x' }));
    expect(counter.seriesOf({ a: 'x' })).not.toBe(counter.seriesOf({ a: 'y' }));
  });

  test('reports no series that is zero', async () => {
    const { provider, collect } = metering();
    new MessageCounter(provider.getMeter('x'), 'messaging.client.sent.messages', '').seriesOf({ a: 'x' });
    expect(await collect()).toEqual([{}, {}]);
  });

  test('counts in one series beyond 2,000 of them', () => {
    const { provider } = metering();
    const counter = new MessageCounter(provider.getMeter('x'), 'n', '');
    const series = Array.from({ length: 2002 }, (_, i) => counter.seriesOf({ i }));
    expect(series[1999]?.attributes).toEqual({ i: 1999 });
    expect(series[2000]?.attributes).toEqual({ 'otel.metric.overflow': true });
    expect(series[2001]).toBe(series[2000]);
    expect(counter.seriesOf({ i: 0 })).toBe(series[0]);
  });
});

describe('instruments', () => {
  test('of one scope are shared, those of another are not', () => {
    const { provider } = metering();
    expect(instrumentsOf(provider, 'a', '1')).toBe(instrumentsOf(provider, 'a', '1'));
    expect(instrumentsOf(provider, 'a', '1')).not.toBe(instrumentsOf(provider, 'b', '1'));
    expect(instrumentsOf(provider, 'a', '1')).not.toBe(instrumentsOf(metering().provider, 'a', '1'));
  });

  test('are as the conventions have them', async () => {
    const rig = new Rig();
    rig.sent();
    const found = await rig.tracing.metrics();
    expect(found.map(({ descriptor: { name, unit, description } }) => [name, unit, description])).toEqual([
      [
        'messaging.client.operation.duration',
        's',
        'Duration of messaging operation initiated by a producer or consumer client.',
      ],
      ['messaging.client.sent.messages', '{message}', 'Number of messages producer attempted to send to the broker.'],
    ]);
    const point = found[0]?.dataPoints[0]?.value as { buckets: { boundaries: number[] } };
    expect(point.buckets.boundaries).toEqual(DURATION_BUCKETS_S);
    await rig.tracing.stop();
  });
});

describe('messages are neither lost nor counted twice', () => {
  const send = (instrumentation: TestInstrumentation, destination = 'orders', count = 1) => {
    const { telemetry } = instrumentation;
    telemetry.isOn();
    const plan = telemetry.plan({ type: 'send', name: 'send', system: 'memory', destination: { name: destination } });
    for (let i = 0; i < count; i++) telemetry.startSend(plan, {}, writer)?.end();
  };

  afterEach(() => metricsApi.disable());

  test('with two instrumentations of one scope', async () => {
    const { provider, collect } = metering();
    metricsApi.setGlobalMeterProvider(provider);
    const [first, second] = [new TestInstrumentation(), new TestInstrumentation()];
    send(first, 'orders', 2);
    send(second, 'orders', 3);
    expect(await collect()).toEqual([{ orders: 5 }, { orders: 5 }]);
  });

  test('when another provider comes and the first one comes back', async () => {
    const [one, other] = [metering(), metering()];
    const instrumentation = new TestInstrumentation();
    instrumentation.setMeterProvider(one.provider);
    send(instrumentation, 'orders', 2);
    instrumentation.setMeterProvider(other.provider);
    send(instrumentation, 'orders', 3);
    instrumentation.setMeterProvider(one.provider);
    send(instrumentation, 'orders', 5);
    expect((await one.collect())[0]).toEqual({ orders: 7 });
    expect((await other.collect())[0]).toEqual({ orders: 3 });
  });

  test('when a plan is made anew', async () => {
    const { provider, collect } = metering();
    metricsApi.setGlobalMeterProvider(provider);
    const instrumentation = new TestInstrumentation();
    send(instrumentation);
    send(instrumentation);
    expect((await collect())[0]).toEqual({ orders: 2 });
  });
});

test('error.type is the same on span and metric, and the duration too', async () => {
  const rig = new Rig();
  const names = Array.from({ length: 20 }, (_, i) => `orders${i}`);
  for (const name of names) {
    const operation = rig.telemetry.startSend(rig.plan('send', { destination: { name } }), {}, writer);
    await new Promise((resolve) => setTimeout(resolve, 2));
    operation?.fail(new RangeError('x'));
  }
  const durations = (await rig.tracing.metrics()).find(({ descriptor }) => descriptor.unit === 's');
  const points = durations?.dataPoints as { attributes: Attributes; value: { sum: number } }[];
  const differences = names.map((name) => {
    const { attributes, duration } = rig.span(`send ${name}`);
    const point = points.find((one) => one.attributes['messaging.destination.name'] === name);
    expect(point?.attributes['error.type']).toBe(attributes['error.type']);
    return Math.abs(Number(point?.value.sum) - duration[0] - duration[1] / 1e9);
  });
  // The clock is read twice, and a busy machine may pause in between, but not each time.
  expect(Math.min(...differences)).toBeLessThan(0.001);
  await rig.tracing.stop();
});

test('an operation that began before there were metrics is not measured', async () => {
  const rig = new Rig({}, { metrics: false });
  const operation = rig.telemetry.startSend(rig.plan('send'), {}, writer);
  const { provider, collect } = metering();
  metricsApi.setGlobalMeterProvider(provider);
  rig.telemetry.isOn();
  operation?.end();
  expect(await collect()).toEqual([{}, {}]);
  await rig.tracing.stop();
});
