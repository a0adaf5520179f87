/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import assert from 'node:assert/strict';
import {
  context,
  metrics as metricsApi,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { AlwaysOffSampler, ParentBasedSampler, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { deepFreeze } from '../frozen';
import { traceText } from '../trace-text';
import { applicationSpan, startTracing, type Tracing, type TracingOptions, unregister, w3c } from '../tracing';
import { eventually } from '../waiting';
import { outcomeOf, unhandledRejections } from './calls';
import { throwingMeterProvider, throwingProcessor, throwingPropagator, throwingSampler } from './hostile';
import type { Rig, RigClient } from './rig';

/** One promise of design section 8: a sentence, and code that throws if a client's instrumentation breaks it. */
export interface Check {
  readonly promise: string;
  readonly needs?: keyof NonNullable<Rig['cannot']>;
  run(rig: Rig): Promise<void>;
}

export const CHECKS: readonly Check[] = [
  { promise: '1. frozen input is sent, twice, and stays as it was', run: frozenInput },
  { promise: '1. a frozen batch is sent and stays as it was', needs: 'batch', run: frozenBatch },
  { promise: '2. a send gives the same result in the same manner', run: sameResult },
  {
    promise: '2. a forgotten rejection is still reported as unhandled',
    needs: 'rejected sends',
    run: forgottenRejection,
  },
  { promise: "3. malformed input meets the client's own error", run: malformedInput },
  { promise: '4. whatever throws in the telemetry never reaches the application', run: brokenTelemetry },
  { promise: '5. every started span ends, however the handler or the call ends', run: everySpanEnds },
  { promise: '6. each message is handled in the trace of its send', run: oneTrace },
  { promise: '6. each message of a batch is handled in a trace of its own', needs: 'batch', run: oneTraceForBatch },
  { promise: '7. a context that the application wrote is kept and linked', run: customContext },
  { promise: '7. a context that came along with forwarded headers is replaced', run: forwardedContext },
  { promise: '8. baggage arrives in the handler', run: baggageArrives },
  { promise: '9. after a handler the active context is what it was', run: contextRestored },
  {
    promise: '10. disabling silences live clients and restores the very same functions; enabling works again',
    run: switching,
  },
  {
    promise: '11. a message without room for more headers arrives all the same',
    needs: 'a limit on headers',
    run: fullMessage,
  },
  { promise: '12. counters count messages, histograms operations in seconds, a delivery once', run: metricsCount },
  { promise: '13. unsampled traces propagate their ids and stay unsampled', run: unsampled },
  { promise: '14. without an SDK nothing is added to a message', run: withoutSdk },
];

async function frozenInput(rig: Rig): Promise<void> {
  await withClient(rig, async (client) => {
    const input = deepFreeze(client.input({ body: 'one', headers: { tenant: 'a' } }));
    const before = snapshot(input);
    await client.send(input);
    await client.send(input);
    await client.flush();
    assert.equal(snapshot(input), before, 'the input was changed');
    const bodies: string[] = [];
    await client.consume(2, (message) => bodies.push(client.body(message)));
    assert.deepEqual(bodies, ['one', 'one']);
  });
}

async function frozenBatch(rig: Rig): Promise<void> {
  await withClient(rig, async (client) => {
    const input = deepFreeze(client.batchInput?.([{ body: 'one', headers: { tenant: 'a' } }, { body: 'two' }]));
    const before = snapshot(input);
    await client.sendBatch?.(input);
    await client.flush();
    assert.equal(snapshot(input), before, 'the input was changed');
    const bodies: string[] = [];
    await client.consume(2, (message) => bodies.push(client.body(message)));
    assert.deepEqual(bodies.sort(), ['one', 'two']);
  });
}

async function sameResult(rig: Rig): Promise<void> {
  await withClient(rig, async (client) => {
    const observed = await outcomeOf(() => client.send(client.input({ body: 'observed' })));
    rig.instrumentation.disable();
    const plain = await outcomeOf(() => client.send(client.input({ body: 'plain' })));
    rig.instrumentation.enable();
    assert.deepEqual(observed, plain);
  });
}

async function forgottenRejection(rig: Rig): Promise<void> {
  await withClient(rig, async (client) => {
    for (const [name, call] of Object.entries(client.malformed)) {
      const forget = () => {
        try {
          void call();
        } catch {
          // refused at once: nothing to forget
        }
        return new Promise((resolve) => setTimeout(resolve, 200));
      };
      const observed = await unhandledRejections(forget);
      rig.instrumentation.disable();
      const plain = await unhandledRejections(forget);
      rig.instrumentation.enable();
      assert.deepEqual(observed, plain, name);
    }
  });
}

async function malformedInput(rig: Rig): Promise<void> {
  await withClient(rig, async (client) => {
    for (const [name, call] of Object.entries(client.malformed)) {
      const observed = await outcomeOf(call);
      rig.instrumentation.disable();
      const plain = await outcomeOf(call);
      rig.instrumentation.enable();
      assert.deepEqual(observed, plain, name);
      assert.match(plain.manner, /threw|rejected/, `${name} is no malformed input: the client took it`);
    }
  });
}

async function brokenTelemetry(rig: Rig): Promise<void> {
  const boom = () => {
    throw new Error('a hook is broken');
  };
  const broken: Readonly<Record<string, TracingOptions>> = {
    'propagator.inject': { propagator: throwingPropagator('inject') },
    'propagator.extract': { propagator: throwingPropagator('extract') },
    'propagator.fields': { propagator: throwingPropagator('fields') },
    sampler: { sampler: throwingSampler },
    'processor.onStart': { processors: [throwingProcessor('onStart')] },
    'processor.onEnd': { processors: [throwingProcessor('onEnd')] },
    meter: { metrics: false },
    hooks: {},
  };
  for (const [name, options] of Object.entries(broken)) {
    const setUp = () => {
      if (name === 'meter') metricsApi.setGlobalMeterProvider(throwingMeterProvider);
      if (name === 'hooks')
        rig.instrumentation.setConfig({ spanHook: boom, destinationTemplate: boom, trustIncoming: boom } as object);
    };
    const rejections = await unhandledRejections(async () => {
      try {
        await withClient(
          rig,
          async (client) => {
            const outcome = await outcomeOf(() => client.send(client.input({ body: name })));
            assert.match(outcome.manner, /returned|resolved/, `${name}: send ${outcome.manner} ${outcome.what}`);
            await client.flush();
            const bodies: string[] = [];
            await client.consume(1, async (message) => bodies.push(client.body(message)));
            assert.deepEqual(bodies, [name], `${name}: the message did not arrive once`);
          },
          options,
          setUp,
        );
      } finally {
        rig.instrumentation.setConfig({});
      }
    });
    assert.deepEqual(rejections, [], `${name}: unhandled rejections`);
  }
}

async function everySpanEnds(rig: Rig): Promise<void> {
  const handlers: Readonly<Record<string, () => unknown>> = {
    'returns at once': () => undefined,
    'returns a promise': async () => {
      await tick();
      application().startSpan('work').end();
    },
    throws: () => {
      application().startSpan('work').end();
      throw new Error('the handler failed');
    },
    rejects: async () => {
      await tick();
      application().startSpan('work').end();
      throw new Error('the handler failed later');
    },
  };
  await unhandledRejections(async () => {
    for (const [name, handler] of Object.entries(handlers)) {
      const tracing = startTracing([rig.instrumentation]);
      try {
        const client = await rig.connect();
        try {
          for (const call of Object.values(client.malformed)) await outcomeOf(call);
          await client.send(client.input({ body: 'one' }));
          await client.flush();
          await client.consume(1, handler).catch(() => {});
        } finally {
          await client.close().catch(() => {});
        }
        await eventually(`all spans to end after a handler that ${name}`, () => tracing.openSpans === 0, 5_000);
        assert.ok(ofType(tracing, 'process').length + ofType(tracing, 'send').length >= 1, 'nothing was traced at all');
      } finally {
        await tracing.stop();
      }
    }
  });
}

async function oneTrace(rig: Rig): Promise<void> {
  await withClient(rig, async (client, tracing) => {
    await tracing.inSpan('app', async () => {
      for (const body of ['one', 'two', 'three']) await client.send(client.input({ body }));
    });
    await client.flush();
    await client.consume(3, async () => {
      await tick();
      application().startSpan('work').end();
    });
    const send = ['send PRODUCER', '│  └─ process CONSUMER', '│     └─ work INTERNAL'];
    await expectText(tracing, [
      'app INTERNAL',
      `├─ ${send.join('\n')}`,
      `├─ ${send.join('\n')}`,
      `└─ ${send.join('\n').replaceAll('│  ', '   ')}`,
    ]);
    for (const span of ofType(tracing, 'process')) {
      assert.ok(
        span.links.some(({ context: linked }) => linked.spanId === span.parentSpanContext?.spanId),
        'the creation context is not linked',
      );
    }
  });
}

async function oneTraceForBatch(rig: Rig): Promise<void> {
  await withClient(rig, async (client, tracing) => {
    await tracing.inSpan('app', () => client.sendBatch?.(client.batchInput?.([{ body: 'one' }, { body: 'two' }])));
    await client.flush();
    await client.consume(2, async () => {
      await tick();
      application().startSpan('work').end();
    });
    const create = ['create PRODUCER', '│  └─ process CONSUMER', '│     └─ work INTERNAL'].join('\n');
    await expectText(tracing, ['app INTERNAL', `├─ ${create}`, `├─ ${create}`, '└─ send CLIENT']);
    const created = ofType(tracing, 'create').map((span) => span.spanContext().spanId);
    const linked = ofType(tracing, 'send')[0]?.links.map((link) => link.context.spanId);
    assert.deepEqual(linked?.sort(), created.sort(), 'the send span links to each create span');
  });
}

async function customContext(rig: Rig): Promise<void> {
  await withClient(rig, async (client, tracing) => {
    const custom = applicationSpan('outbox');
    const headers: Record<string, string> = {};
    w3c().inject(trace.setSpanContext(ROOT_CONTEXT, custom), headers, { set: (to, key, value) => (to[key] = value) });
    await tracing.inSpan('relay', () => client.send(client.input({ body: 'one', headers })));
    await client.flush();
    let arrived: string | undefined;
    await client.consume(1, async (message) => {
      await tick();
      arrived = client.headers(message)['traceparent'];
    });
    assert.equal(arrived, headers['traceparent'], "the application's context was replaced");
    const [send] = ofType(tracing, 'send');
    assert.deepEqual(
      send?.links.map((link) => link.context.spanId),
      [custom.spanId],
      'the send span does not link to it',
    );
    assert.equal(send?.kind, SpanKind.CLIENT, 'a send that carries a foreign context is CLIENT');
    await eventually('the process span', () => ofType(tracing, 'process').length === 1);
    assert.equal(ofType(tracing, 'process')[0]?.parentSpanContext?.spanId, custom.spanId);
  });
}

async function forwardedContext(rig: Rig): Promise<void> {
  await withClient(rig, async (client, tracing) => {
    await client.send(client.input({ body: 'one', headers: { tenant: 'a' } }));
    await client.flush();
    await client.consume(1, async (message) => {
      await tick();
      await client.send(client.forward(message));
    });
    await client.flush();
    let tenant: string | undefined;
    await client.consume(1, async (message) => {
      await tick();
      tenant = client.headers(message)['tenant'];
    });
    assert.equal(tenant, 'a', "the application's own header was lost");
    await expectText(tracing, [
      'send PRODUCER',
      '└─ process CONSUMER',
      '   └─ send PRODUCER',
      '      └─ process CONSUMER',
    ]);
  });
}

async function baggageArrives(rig: Rig): Promise<void> {
  await withClient(rig, async (client) => {
    const baggage = propagation.createBaggage({ tenant: { value: 'a b' } });
    await context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), async () => {
      await client.send(client.input({ body: 'one' }));
    });
    await client.flush();
    const seen: (string | undefined)[] = [];
    const read = () => seen.push(propagation.getActiveBaggage()?.getEntry('tenant')?.value);
    await client.consume(1, async () => {
      read();
      await tick();
      read();
    });
    assert.deepEqual(seen, ['a b', 'a b']);
  });
}

async function contextRestored(rig: Rig): Promise<void> {
  await withClient(rig, async (client, tracing) => {
    for (const body of ['one', 'two']) await client.send(client.input({ body }));
    await client.flush();
    const inside: (string | undefined)[] = [];
    await tracing.inSpan('around', async () => {
      const before = context.active();
      await client.consume(2, async () => {
        await tick();
        inside.push(trace.getActiveSpan()?.spanContext().spanId);
      });
      assert.equal(context.active(), before, 'the context of a message is still active');
    });
    assert.equal(new Set(inside).size, 2, 'each handler runs in its own span');
  });
}

async function switching(rig: Rig): Promise<void> {
  const { instrumentation, doors } = rig;
  const functions = () => doors.map(({ holder, name }) => (holder as Record<PropertyKey, unknown>)[name]);
  const originals = doors.map(({ original }) => original);
  await withClient(rig, async (client, tracing) => {
    const patched = functions();
    for (const [i, door] of doors.entries())
      assert.notEqual(patched[i], originals[i], `${String(door.name)} is not patched`);
    instrumentation.enable();
    assert.deepEqual(functions(), patched, 'enabling twice wrapped twice');

    instrumentation.disable();
    for (const [i, door] of doors.entries())
      assert.equal(functions()[i], originals[i], `${String(door.name)} is not restored`);
    await roundTrip(client);
    assert.equal(traceText(messagingSpans(tracing)), '', 'a live client was not silenced');

    instrumentation.enable();
    await roundTrip(client);
    await eventually(
      'spans of a live client that was switched on again',
      () => ofType(tracing, 'process').length === 1,
    );
    assert.equal(ofType(tracing, 'send').length, 1, 'switched on again, one send makes one span');
  });
}

async function fullMessage(rig: Rig): Promise<void> {
  await withClient(rig, async (client) => {
    const input = client.full?.();
    const outcome = await outcomeOf(() => client.send(input));
    assert.match(outcome.manner, /returned|resolved/, `refused: ${outcome.what}`);
    await client.flush();
    let count = 0;
    await client.consume(1, () => count++);
    assert.equal(count, 1);
  });
}

async function metricsCount(rig: Rig): Promise<void> {
  await withClient(rig, async (client, tracing) => {
    const total = rig.cannot?.batch === undefined ? 3 : 1;
    await client.send(client.input({ body: 'one' }));
    if (total > 1) await client.sendBatch?.(client.batchInput?.([{ body: 'two' }, { body: 'three' }]));
    await client.flush();
    await client.consume(total, async () => {
      await tick();
    });
    const sums = await pointsOf(tracing);
    assert.equal(sums('messaging.client.sent.messages'), total, 'messages sent');
    assert.equal(sums('messaging.client.consumed.messages'), total, 'messages consumed');
    assert.equal(sums('messaging.process.duration'), total, 'messages processed');
    assert.equal(sums('messaging.client.operation.duration', 'send'), total === 3 ? 2 : 1, 'send operations');
    for (const metric of await tracing.metrics()) {
      if (!metric.descriptor.name.endsWith('duration')) continue;
      assert.equal(metric.descriptor.unit, 's');
      for (const { value } of metric.dataPoints) assert.ok((value as { max?: number }).max! < 60, 'not in seconds');
    }
  });
}

async function unsampled(rig: Rig): Promise<void> {
  const sampler = new ParentBasedSampler({ root: new AlwaysOffSampler() });
  await withClient(
    rig,
    async (client, tracing) => {
      await client.send(client.input({ body: 'one' }));
      await client.flush();
      let arrived = '';
      let inHandler = trace.getActiveSpan()?.spanContext();
      await client.consume(1, async (message) => {
        await tick();
        arrived = client.headers(message)['traceparent'] ?? '';
        inHandler = trace.getActiveSpan()?.spanContext();
      });
      assert.match(arrived, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/, 'ids do not travel');
      assert.equal(inHandler?.traceId, arrived.slice(3, 35), 'another trace');
      assert.equal((inHandler?.traceFlags ?? 1) & TraceFlags.SAMPLED, 0, 'sampled on the way');
      assert.deepEqual(tracing.spans(), []);
    },
    { sampler },
  );
}

async function withoutSdk(rig: Rig): Promise<void> {
  unregister();
  const client = await rig.connect();
  try {
    await client.send(client.input({ body: 'one', headers: { tenant: 'a' } }));
    await client.flush();
    let headers: Readonly<Record<string, string>> = {};
    await client.consume(1, async (message) => {
      await tick();
      headers = client.headers(message);
    });
    assert.deepEqual(headers, { tenant: 'a' });
  } finally {
    await client.close();
  }
}

// --- below: what the checks share ---

async function withClient(
  rig: Rig,
  code: (client: RigClient, tracing: Tracing) => Promise<void>,
  options?: TracingOptions,
  setUp: () => void = () => {},
): Promise<void> {
  const tracing = startTracing([rig.instrumentation], options);
  try {
    setUp();
    const client = await rig.connect();
    try {
      await code(client, tracing);
    } finally {
      rig.instrumentation.enable();
      await client.close();
    }
  } finally {
    await tracing.stop();
  }
}

async function roundTrip(client: RigClient): Promise<void> {
  await client.send(client.input({ body: 'one' }));
  await client.flush();
  await client.consume(1, async () => {
    await tick();
  });
}

function application(): Tracer {
  return trace.getTracer('application');
}

function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function operationType(span: ReadableSpan): unknown {
  return span.attributes['messaging.operation.type'];
}

function ofType(tracing: Tracing, type: string): ReadableSpan[] {
  return tracing.spans().filter((span) => operationType(span) === type);
}

function messagingSpans(tracing: Tracing): ReadableSpan[] {
  return tracing.spans().filter((span) => operationType(span) !== undefined);
}

/** Traces by operation type, without spans that only some clients have (polls, settlements, HTTP requests, batches). */
async function expectText(tracing: Tracing, lines: readonly string[]): Promise<void> {
  const text = () => {
    const spans = tracing.spans().filter((span) => {
      const type = operationType(span);
      if (type === 'process') return span.parentSpanContext !== undefined;
      return type === 'create' || type === 'send' || span.instrumentationScope.name === 'application';
    });
    const names = new Map(spans.map((span) => [span, String(operationType(span) ?? span.name)]));
    const shown = spans.map(
      (span) =>
        new Proxy(span, {
          get: (s, key) => (key === 'name' ? names.get(s) : key === 'links' ? [] : Reflect.get(s, key)),
        }),
    );
    return traceText(shown);
  };
  const expected = lines.join('\n');
  await eventually('the expected traces', () => text() === expected, 2_000).catch(() => {});
  assert.equal(text(), expected);
}

async function pointsOf(tracing: Tracing): Promise<(name: string, type?: string) => number> {
  const metrics = await tracing.metrics();
  return (name, type) => {
    let sum = 0;
    for (const metric of metrics) {
      if (metric.descriptor.name !== name) continue;
      for (const { value, attributes } of metric.dataPoints) {
        if (type !== undefined && attributes['messaging.operation.type'] !== type) continue;
        sum += typeof value === 'number' ? value : value.count;
      }
    }
    return sum;
  };
}

/** Comparable text of an input, Buffers by their bytes. */
function snapshot(value: unknown): string {
  return JSON.stringify(value);
}
