/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { metrics as metricsApi, trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { startTracing, unregister } from '@otel-messaging/test-utils';
import { PROMISE, Rig, reader, TestInstrumentation, writer } from './support';

const facts = { type: 'send', name: 'send', system: 'memory', destination: { name: 'orders' } } as const;

class Queue {
  send(): string {
    return 'sent';
  }
}

class QueueInstrumentation extends TestInstrumentation {
  override enable(): void {
    super.enable();
    const { telemetry } = this;
    this.patches.add(Queue.prototype, 'send', (original: Queue['send']) => {
      return function send(this: Queue) {
        const operation = telemetry.isOn() ? telemetry.startSend(telemetry.plan(facts), {}, writer) : undefined;
        return operation === undefined ? original.call(this) : operation.run(original, this);
      };
    });
  }
}

afterEach(unregister);

test('with nothing registered there is nothing to do', () => {
  unregister();
  expect(new TestInstrumentation().telemetry.isOn()).toBe(false);
});

test('it is on with a tracer provider, or a meter provider, and off without', async () => {
  const { telemetry } = new TestInstrumentation();
  const tracing = startTracing([], { metrics: false });
  expect(telemetry.isOn()).toBe(true);
  trace.disable();
  expect(telemetry.isOn()).toBe(false);
  await tracing.stop();
  const measured = startTracing([]);
  trace.disable();
  expect(telemetry.isOn()).toBe(true);
  metricsApi.disable();
  expect(telemetry.isOn()).toBe(false);
  await measured.stop();
});

test('a provider that is registered later is used', async () => {
  const instrumentation = new TestInstrumentation();
  expect(instrumentation.telemetry.isOn()).toBe(false);
  const tracing = startTracing([]);
  expect(instrumentation.telemetry.isOn()).toBe(true);
  instrumentation.telemetry.startSend(instrumentation.telemetry.plan(facts), {}, writer)?.end();
  expect(tracing.spans()).toHaveLength(1);
  await tracing.stop();
});

test('spans carry the name and version of the instrumentation', async () => {
  const rig = new Rig();
  rig.sent();
  expect(rig.span('send orders').instrumentationScope).toMatchObject({
    name: '@otel-messaging/instrumentation-test',
    version: '0.1.0',
  });
  await rig.tracing.stop();
});

test('a tracer provider of its own stays in force, whatever is registered globally', async () => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const instrumentation = new TestInstrumentation();
  instrumentation.setTracerProvider(provider);
  const tracing = startTracing([]);
  instrumentation.telemetry.isOn();
  instrumentation.telemetry.startSend(instrumentation.telemetry.plan(facts), {}, writer)?.end();
  expect(exporter.getFinishedSpans()).toHaveLength(1);
  expect(tracing.spans()).toHaveLength(0);
  await tracing.stop();
});

test('a provider that fails is reported once, and the rest works on', () => {
  unregister();
  const { telemetry } = new TestInstrumentation();
  const reports: unknown[] = [];
  Object.assign(telemetry.signals, { diag: { error: (what: string) => reports.push(what) } });
  const fails = () => {
    throw new Error('theirs');
  };
  trace.setGlobalTracerProvider({ getTracer: fails });
  expect(telemetry.isOn()).toBe(false);
  telemetry.isOn();
  expect(reports).toEqual(['could not use the tracer provider']);
});

test('a provider that does not say what is behind it is no reason to fail', () => {
  unregister();
  const { telemetry } = new TestInstrumentation();
  const getDelegate = () => {
    throw new Error('theirs');
  };
  telemetry.signals.setTracerProvider({ getDelegate, getTracer: () => trace.getTracer('x') } as never);
  expect(telemetry.isOn()).toBe(true);
});

describe('enable and disable', () => {
  let tracing: ReturnType<typeof startTracing>;
  let instrumentation: QueueInstrumentation;
  const { send } = Queue.prototype;

  beforeEach(() => {
    instrumentation = new QueueInstrumentation();
    tracing = startTracing([instrumentation]);
  });

  afterEach(async () => {
    instrumentation.disable();
    expect(Queue.prototype.send).toBe(send);
    await tracing.stop();
  });

  const count = () => {
    const result = new Queue().send();
    expect(result).toBe('sent');
    const spans = tracing.spans().length + tracing.openSpans;
    tracing.reset();
    return spans;
  };

  test('it is enabled from the start', () => {
    expect(count()).toBe(1);
  });

  test('disabled, the very same functions are back', () => {
    instrumentation.disable();
    expect(Queue.prototype.send).toBe(send);
    expect(count()).toBe(0);
  });

  test('disabled, functions that somebody holds are silent', () => {
    const held = Queue.prototype.send;
    instrumentation.disable();
    held.call(new Queue());
    expect(tracing.spans()).toEqual([]);
    expect(tracing.openSpans).toBe(0);
  });

  test('disabled, an operation that has begun still ends', () => {
    const operation = instrumentation.telemetry.startSend(instrumentation.telemetry.plan(facts), {}, writer);
    instrumentation.disable();
    operation?.end();
    expect(tracing.openSpans).toBe(0);
  });

  test('enabled again, it works again, once', () => {
    instrumentation.disable();
    instrumentation.enable();
    instrumentation.enable();
    expect(count()).toBe(1);
  });

  test('disabled twice is disabled', () => {
    instrumentation.disable();
    instrumentation.disable();
    expect(count()).toBe(0);
  });

  test('enabled: false patches nothing', () => {
    instrumentation.disable();
    new QueueInstrumentation({ enabled: false });
    expect(Queue.prototype.send).toBe(send);
  });
});

describe('configuration', () => {
  test('can change at run time', async () => {
    const rig = new Rig();
    rig.instrumentation.setConfig({ processParent: 'none' });
    rig.telemetry.startProcess(rig.plan('process'), rig.sent(), reader)?.handle(PROMISE, () => {}, undefined);
    expect(rig.span('process orders').parentSpanContext).toBeUndefined();
    await rig.tracing.stop();
  });

  test('can be left out or wrong', () => {
    expect(() => new TestInstrumentation(undefined)).not.toThrow();
    expect(() => new TestInstrumentation({ captureHeaders: 'x' as never })).not.toThrow();
    expect(() => new TestInstrumentation().setConfig(undefined as never)).not.toThrow();
  });

  test('a template of a destination drives names and metrics', async () => {
    const rig = new Rig({ destinationTemplate: ({ destination }) => destination?.name?.replace(/\d+/, '{id}') });
    rig.telemetry.startSend(rig.plan('send', { destination: { name: 'orders.7' } }), {}, writer)?.end();
    expect(rig.span('send orders.{id}').attributes).toMatchObject({
      'messaging.destination.name': 'orders.7',
      'messaging.destination.template': 'orders.{id}',
    });
    expect(await rig.counts('messaging.client.sent.messages')).toEqual({ 'memory send orders.{id}': 1 });
    await rig.tracing.stop();
  });

  test.each<[string, () => never | string | undefined]>([
    [
      'fails',
      () => {
        throw new Error('mine');
      },
    ],
    ['is empty', () => ''],
    ['is no text', () => 5 as never],
  ])('a template that %s is none', async (_, destinationTemplate) => {
    const rig = new Rig({ destinationTemplate });
    rig.sent();
    expect(rig.span('send orders').attributes).not.toHaveProperty('messaging.destination.template');
    await rig.tracing.stop();
  });

  test('captured headers and sizes are on the span', async () => {
    const rig = new Rig({ captureHeaders: ['tenant'], captureBodySize: true });
    rig.sent({ headers: { Tenant: 'a', other: 'b' }, facts: { bodySize: 5 } });
    expect(rig.span('send orders').attributes).toMatchObject({
      'messaging.header.tenant': ['a'],
      'messaging.message.body.size': 5,
    });
    expect(rig.span('send orders').attributes).not.toHaveProperty('messaging.header.other');
    await rig.tracing.stop();
  });
});
