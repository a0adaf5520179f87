/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Context, context, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { awaitMessages } from '../src';
import { Measurements } from '../src/measurements';
import { OpenDeliveries } from '../src/settlement';
import { applicationWork, type Message, PROMISE, pause, Rig, reader } from './support';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

let rig: Rig;

beforeEach(() => {
  rig = new Rig();
});

afterEach(() => rig.tracing.stop());

/** How many of the things are still reachable. */
async function alive(things: readonly WeakRef<object>[]): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await pause(); // a WeakRef keeps what it refers to until the end of its job
    collectGarbage();
  }
  return things.filter((thing) => thing.deref() !== undefined).length;
}

describe('a context that lives on keeps no message', () => {
  test.each<[string, () => Promise<void> | void]>([
    ['of a body that asked for nothing', () => {}],
    ['of a body that started a span', () => applicationWork()],
    ['of a body that awaited', () => pause()],
  ])('%s', async (_, body) => {
    const kept: Context[] = [];
    const walk = async () => {
      const list = rig.received([{}, {}]);
      const refs = list.map((message) => new WeakRef(message));
      for (const _ of list) {
        kept.push(context.active());
        const result = body();
        if (result !== undefined) await result;
      }
      rig.tracing.reset();
      return refs;
    };
    const refs = await walk();
    expect(await alive(refs)).toBe(0);
    expect(kept).toHaveLength(2);
  });

  test('of whoever waits for the messages of a generator', async () => {
    const refs: WeakRef<object>[] = [];
    async function* poll() {
      for (let i = 0; i < 3; i++) {
        awaitMessages();
        await pause();
        yield* received();
      }
    }
    const received = () => {
      const messages: Message[] = [{}, {}];
      for (const message of messages) refs.push(new WeakRef(message));
      return rig.received(messages);
    };
    await pause();
    const left: number[] = [];
    for await (const _ of poll()) left.push(await alive(refs.slice(0, -2)));
    expect(left).toEqual(Array(6).fill(0));
  });

  test('of a handler that has returned', async () => {
    const kept: Context[] = [];
    const handle = () => {
      const message: Message = {};
      rig.telemetry
        .startProcess(rig.plan('process'), message, reader)
        ?.handle(PROMISE, () => void kept.push(context.active()), undefined);
      return [new WeakRef(message)];
    };
    const refs = handle();
    expect(await alive(refs)).toBe(0);
    expect(kept).toHaveLength(1);
  });
});

test('polls that are begun from within handlers keep nothing of the messages before', async () => {
  const scopes: WeakRef<object>[] = [];
  let last: Context | undefined;
  const poll = async (rest: number): Promise<void> => {
    for (const _ of rig.received([{}])) {
      if (rest % 2 === 0) applicationWork();
      last = context.active();
      scopes.push(new WeakRef(last));
      if (rest > 0) setImmediate(poll, rest - 1);
    }
  };
  await poll(50);
  while (scopes.length < 51) await pause();
  rig.tracing.reset();
  expect(await alive(scopes)).toBeLessThan(5);
  expect(last).toBeDefined();
});

test('a message that is kept keeps neither its span nor the context of its handler', async () => {
  const list = rig.received([{}, {}]);
  const refs: WeakRef<object>[] = [];
  const walk = async () => {
    await pause(); // so that the caller goes on in a context of its own
    for (const _ of list) {
      await pause();
      refs.push(new WeakRef(context.active()), new WeakRef(trace.getActiveSpan() as object));
    }
  };
  await walk();
  rig.tracing.reset();
  expect(await alive(refs)).toBe(0);
  expect(list).toHaveLength(2);
});

test('handled messages that are never settled leave nothing behind', async () => {
  const refs: WeakRef<object>[] = [];
  const handle = () => {
    const operation = rig.telemetry.startProcess(rig.plan('process'), {}, reader);
    operation?.handle(PROMISE, () => {}, undefined);
    if (operation !== undefined) refs.push(new WeakRef(operation));
  };
  for (let i = 0; i < 20; i++) handle();
  rig.tracing.reset();
  expect(await alive(refs)).toBe(0);
});

test('a delivery that waits for its settlement does not keep its message', async () => {
  const open = new OpenDeliveries();
  const handle = () => {
    const message: Message = {};
    const operation = rig.telemetry.startProcess(rig.plan('process'), message, reader);
    if (operation !== undefined) open.add(1, operation);
    operation?.handle({ endsAtSettlement: true, dropsPromise: true }, () => {}, undefined);
    return [new WeakRef(message)];
  };
  const refs = handle();
  expect(await alive(refs)).toBe(0);
  expect([open.size, rig.tracing.openSpans]).toEqual([1, 1]);
});

test('measurements that are not made any more keep nothing of what was collected', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  const histogram = provider.getMeter('x').createHistogram('h');
  const storage = Reflect.get(Reflect.get(histogram, '_writableMetricStorage'), '_deltaMetricStorage');
  const measured = [];
  const collections: WeakRef<object>[] = [];
  for (let i = 0; i < 5; i++) {
    const measurements = new Measurements(histogram, { i });
    measurements.record(1);
    measured.push(measurements);
    collections.push(new WeakRef(Reflect.get(storage, '_activeCollectionStorage')));
    await provider.forceFlush();
    exporter.reset();
  }
  expect(await alive(collections)).toBeLessThanOrEqual(1); // the last, until something is measured again
  expect(measured).toHaveLength(5);
  await provider.shutdown();
});
