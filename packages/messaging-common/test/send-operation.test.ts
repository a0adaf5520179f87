/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context, propagation, ROOT_CONTEXT, type Span, SpanKind, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { suppressTracing } from '@opentelemetry/core';
import { AlwaysOffSampler, ParentBasedSampler, type Sampler, SamplingDecision } from '@opentelemetry/sdk-trace-base';
import { applicationSpan, deepFreeze, unhandledRejections } from '@otel-messaging/test-utils';
import type { MessageWriter } from '../src/operation';
import { type Message, Rig, writer } from './support';

let rig: Rig;

beforeEach(() => {
  rig = new Rig();
});

afterEach(async () => {
  expect(rig.tracing.openSpans).toBe(0);
  await rig.tracing.stop();
});

/** Another rig in place of the usual one. */
async function use(...args: ConstructorParameters<typeof Rig>): Promise<void> {
  await rig.tracing.stop();
  rig = new Rig(...args);
}

function start(message: Message = {}, format: MessageWriter<Message> = writer) {
  const operation = rig.telemetry.startSend(rig.plan('send'), message, format);
  if (operation === undefined) throw new Error('not started');
  return operation;
}

const traceparentOf = (span: { spanContext(): { traceId: string; spanId: string } }) =>
  `00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`;

describe('one message', () => {
  test('carries the context of its send span, a producer', () => {
    const { headers } = rig.sent();
    const span = rig.span('send orders');
    expect(headers).toEqual({ traceparent: traceparentOf(span) });
    expect(span.kind).toBe(SpanKind.PRODUCER);
    expect(span.links).toEqual([]);
  });

  test('stays as it is, frozen or not; a copy goes out', () => {
    const message = deepFreeze({ headers: { own: 'x' } });
    const copy = rig.sent(message);
    expect(message).toEqual({ headers: { own: 'x' } });
    expect(copy.headers).toMatchObject({ own: 'x', traceparent: expect.any(String) });
  });

  test('sent twice gets two contexts', () => {
    const message = { headers: {} };
    expect(rig.sent(message).headers).not.toEqual(rig.sent(message).headers);
  });

  test('is a child of what is active', async () => {
    await rig.tracing.inSpan('request', () => rig.sent());
    expect(rig.text()).toBe('request INTERNAL\n└─ send orders PRODUCER');
  });

  test('takes the baggage of what is active along', () => {
    const baggage = propagation.createBaggage({ tenant: { value: 'a' } });
    expect(rig.sent({}, propagation.setBaggage(ROOT_CONTEXT, baggage)).headers).toMatchObject({ baggage: 'tenant=a' });
  });

  test('has its own attributes on the span', () => {
    rig.sent({ facts: { id: '7', attributes: { 'kafka.message.key': 'k' } } });
    expect(rig.span('send orders').attributes).toMatchObject({
      'messaging.message.id': '7',
      'kafka.message.key': 'k',
    });
  });

  test('without room gets no context, and its span is a client', () => {
    const message = {};
    const operation = start(message, { ...writer, canCarry: () => false });
    operation.end();
    expect(operation.message).toBe(message);
    expect(rig.span('send orders').kind).toBe(SpanKind.CLIENT);
  });

  test('that turns out to have no room goes out as it is', () => {
    const message = {};
    const operation = start(message, { ...writer, write: () => undefined });
    operation.end();
    expect(operation.message).toBe(message);
    expect(rig.reports).toEqual(['could not write a context into a message: no room']);
  });
});

describe('a context that is in the message already', () => {
  const custom = () => {
    const spanContext = applicationSpan('outbox');
    return { spanContext, message: { headers: { traceparent: traceparentOf({ spanContext: () => spanContext }) } } };
  };

  test('is kept and linked if the application chose it', () => {
    const { message } = custom();
    const operation = start(message);
    operation.end();
    expect(operation.message).toBe(message);
    expect(rig.text()).toBe('outbox INTERNAL\nsend orders CLIENT  → outbox');
  });

  test('is replaced if it came along with the message that is being processed', () => {
    const { message } = custom();
    const process = rig.telemetry.startProcess(rig.plan('process'), message, writer);
    process?.handle({ endsAtSettlement: false, dropsPromise: false }, () => rig.sent(message), undefined);
    expect(rig.text()).toBe(
      ['outbox INTERNAL', '└─ process orders CONSUMER  → outbox', '   └─ send orders PRODUCER'].join('\n'),
    );
  });

  test('is replaced together with the baggage that came along', () => {
    const { message } = custom();
    const received = { headers: { ...message.headers, baggage: 'tenant=a', own: 'x' } };
    const process = rig.telemetry.startProcess(rig.plan('process'), received, writer);
    const headers = process?.handle(
      { endsAtSettlement: false, dropsPromise: false },
      () => context.with(propagation.deleteBaggage(context.active()), () => rig.sent(received).headers),
      undefined,
    );
    expect(headers).toEqual({ own: 'x', traceparent: traceparentOf(rig.span('send orders')) });
  });

  test('is kept while another message is being processed', () => {
    const { message } = custom();
    const process = rig.telemetry.startProcess(rig.plan('process'), rig.sent(), writer);
    process?.handle({ endsAtSettlement: false, dropsPromise: false }, () => start(message).end(), undefined);
    expect(rig.spans('send orders')[1]?.links).toHaveLength(1);
  });

  test('that is malformed is no context, and replaced', () => {
    const { headers } = rig.sent({ headers: { traceparent: 'garbage', own: 'x' } });
    expect(headers).toEqual({ own: 'x', traceparent: traceparentOf(rig.span('send orders')) });
  });
});

describe('samplers', () => {
  test('see names, destination and server when the span starts, and the kind', async () => {
    const seen: unknown[] = [];
    const sampler: Sampler = {
      shouldSample: (_context, _id, name, kind, attributes) => {
        seen.push({ name, kind, attributes: { ...attributes } });
        return { decision: SamplingDecision.NOT_RECORD };
      },
    };
    await use({}, { sampler });
    const server = { address: 'broker', port: 9092 };
    rig.telemetry.startSend(rig.plan('send', { server }), {}, writer)?.end();
    expect(seen).toEqual([
      {
        name: 'send orders',
        kind: SpanKind.PRODUCER,
        attributes: {
          'messaging.system.name': 'memory',
          'messaging.operation.name': 'send',
          'messaging.operation.type': 'send',
          'messaging.destination.name': 'orders',
          'server.address': 'broker',
          'server.port': 9092,
        },
      },
    ]);
  });

  test('that say no leave a context that says so, and describe is not called', async () => {
    await use({}, { sampler: new ParentBasedSampler({ root: new AlwaysOffSampler() }) });
    const describe = jest.fn(() => ({}));
    const operation = start({}, { ...writer, describe });
    operation.end();
    expect(operation.message.headers?.['traceparent']).toMatch(/-00$/);
    expect(describe).not.toHaveBeenCalled();
  });
});

describe('suppressed tracing', () => {
  test('makes no span and writes no context, but counts', async () => {
    const message = {};
    expect(rig.sent(message, suppressTracing(ROOT_CONTEXT))).toBe(message);
    expect(rig.text()).toBe('');
    expect(await rig.counts('messaging.client.sent.messages')).toEqual({ 'memory send orders': 1 });
  });
});

describe('how a send ends', () => {
  test('with its promise, of which the application gets one that follows it', async () => {
    const result = {};
    const promise = Promise.resolve(result);
    const operation = start();
    const derived = operation.trace(() => promise, undefined, undefined);
    expect(derived).not.toBe(promise);
    expect(rig.tracing.openSpans).toBe(1);
    expect(await derived).toBe(result);
    expect(rig.tracing.openSpans).toBe(0);
  });

  test('with attributes of its result', async () => {
    await start().trace(
      async () => 5,
      (n) => ({ attributes: { 'kafka.offset': n } }),
      undefined,
    );
    expect(rig.span('send orders').attributes['kafka.offset']).toBe(5);
  });

  test('also if reading its result fails', async () => {
    const fails = () => {
      throw new Error('ours');
    };
    expect(await start().trace(async () => 5, fails, undefined)).toBe(5);
    expect(rig.reports).toEqual(['could not read a result']);
  });

  test('with what the client learned meanwhile, also where it failed', () => {
    let cluster: string | undefined;
    const facts = { type: 'send', name: 'send', system: 'memory', destination: { name: 'orders' } } as const;
    const plan = rig.telemetry.plan(facts, () => (cluster === undefined ? undefined : { cluster }));
    const [unaware, sent, failed] = Array.from({ length: 3 }, () => rig.telemetry.startSend(plan, {}, writer));
    unaware?.end();
    cluster = 'a';
    sent?.end();
    failed?.fail(new RangeError('mine'));
    const attributes = ['cluster', 'error.type'];
    expect(rig.spans('send orders').map((span) => attributes.map((key) => span.attributes[key]))).toEqual([
      [undefined, undefined],
      ['a', undefined],
      ['a', 'RangeError'],
    ]);
  });

  test('with a rejection, by the same error', async () => {
    const error = new RangeError('mine');
    await expect(start().trace(() => Promise.reject(error), undefined, undefined)).rejects.toBe(error);
    const span = rig.span('send orders');
    expect(span.status).toEqual({ code: 2, message: 'mine' });
    expect(span.attributes['error.type']).toBe('RangeError');
  });

  test('with a throw, of the same error', () => {
    const error = new RangeError('mine');
    const throws = () => {
      throw error;
    };
    expect(() => start().run(throws, undefined)).toThrow(error);
    expect(rig.span('send orders').attributes['error.type']).toBe('RangeError');
  });

  test('at once if the client answers with no promise', () => {
    expect(start().trace((() => 'sync') as never, undefined, undefined)).toBe('sync');
    expect(rig.tracing.openSpans).toBe(0);
  });

  test('at once if the client answers with a lazy thenable, which is not asked', () => {
    // biome-ignore lint/suspicious/noThenProperty: the very thing that is tested
    const lazy = { then: jest.fn() };
    expect(start().trace(() => lazy as never, undefined, undefined)).toBe(lazy);
    expect(lazy.then).not.toHaveBeenCalled();
  });

  test('once, however often it is told', () => {
    const operation = start();
    operation.end();
    operation.fail(new Error('late'));
    operation.end({ attributes: { late: true } });
    expect(rig.span('send orders').status.code).toBe(0);
  });

  test.each([
    ['undefined', undefined, 'UnknownError'],
    ['null', null, 'UnknownError'],
    ['a text', 'boom', '_OTHER'],
    ['false', false, '_OTHER'],
  ])('with a rejection of %s', async (_, reason, type) => {
    await expect(start().trace(() => Promise.reject(reason), undefined, undefined)).rejects.toBe(reason);
    expect(rig.span('send orders').attributes['error.type']).toBe(type);
  });

  test('with an error whose message only repeats its type, without a description', () => {
    start().fail(Object.assign(new Error('RequestThrottled'), { name: 'RequestThrottled' }));
    expect(rig.span('send orders').status).toEqual({ code: 2 });
  });

  test('with an error whose getters throw', () => {
    const hostile = new Error('x');
    Object.defineProperty(hostile, 'message', {
      get: () => {
        throw new Error('hostile');
      },
    });
    start().fail(hostile);
    expect(rig.span('send orders').status.code).toBe(2);
  });

  test('a rejection that the application forgets is reported once', async () => {
    const forgets = () => void start().trace(() => Promise.reject(new Error('forgotten')), undefined, undefined);
    expect(await unhandledRejections(forgets)).toEqual(['Error: forgotten']);
  });

  test('the call sees this and its arguments, in the context of the span', () => {
    const self = {};
    const operation = start();
    function call(this: unknown, ...args: unknown[]) {
      return [this, args, trace.getActiveSpan()];
    }
    expect(operation.run(call, self, 1, undefined)).toEqual([self, [1, undefined], operation.span]);
    operation.end();
  });
});

describe('metrics', () => {
  test('have one duration and one message, with the type of the error', async () => {
    rig.sent();
    start().fail(new RangeError('x'));
    expect(await rig.counts('messaging.client.sent.messages')).toEqual({
      'memory send orders': 1,
      'memory send orders RangeError': 1,
    });
    const durations = await rig.counts('messaging.client.operation.duration');
    expect(Object.entries(durations).map(([key, value]) => [key, (value as { count: number }).count])).toEqual([
      ['memory send send orders', 1],
      ['memory send send orders RangeError', 1],
    ]);
  });

  test('are recorded without a tracer, and nothing is written', async () => {
    trace.disable();
    rig.telemetry.isOn();
    const message = {};
    expect(rig.sent(message)).toBe(message);
    expect(await rig.counts('messaging.client.sent.messages')).toEqual({ 'memory send orders': 1 });
  });
});

describe('whatever of ours fails, the application does not notice', () => {
  const fails = () => {
    throw new Error('ours');
  };

  test('a sampler: nothing is started', async () => {
    await use({}, { sampler: { shouldSample: fails } });
    expect(rig.telemetry.startSend(rig.plan('send'), {}, writer)).toBeUndefined();
    expect(rig.reports).toEqual(['could not start a send span']);
  });

  test('a propagator: the message goes out as it is', async () => {
    const propagator = { fields: () => ['traceparent'], inject: fails, extract: fails };
    await use({}, { propagator });
    const message = { headers: { traceparent: 'x' } };
    expect(rig.sent(message)).toBe(message);
    expect(rig.spans('send orders')).toHaveLength(1);
  });

  test('a hook', async () => {
    await use({ spanHook: fails });
    expect(rig.sent().headers).toHaveProperty('traceparent');
    expect(rig.reports).toEqual(['could not describe a span']);
  });

  test('a hook that is asynchronous', async () => {
    const spanHook = async () => fails();
    await use({ spanHook });
    const forgotten = await unhandledRejections(() => rig.sent());
    expect(forgotten).toEqual([]);
    expect(rig.reports).toEqual(['could not describe a span']);
  });

  test('the description of a message', () => {
    const operation = start({}, { ...writer, describe: fails });
    operation.end();
    expect(operation.message.headers).toHaveProperty('traceparent');
  });

  test('writing', () => {
    const message = {};
    const operation = start(message, { ...writer, write: fails });
    operation.end();
    expect(operation.message).toBe(message);
  });

  test('reading: nothing is started where it must be known', () => {
    expect(rig.telemetry.startSend(rig.plan('send'), {}, { ...writer, canCarry: fails })).toBeUndefined();
  });

  test('the span itself', () => {
    const operation = start();
    Object.assign(operation.span as Span, { setAttributes: fails, setStatus: fails, recordException: fails });
    operation.end({ error: new Error('mine'), attributes: { a: 1 } });
    expect(rig.spans('send orders')).toHaveLength(1);
  });

  test('the end of the span: the metrics are recorded', async () => {
    const operation = start();
    const span = operation.span as Span;
    const end = span.end.bind(span);
    span.end = fails;
    operation.end();
    end();
    expect(await rig.counts('messaging.client.sent.messages')).toEqual({ 'memory send orders': 1 });
  });

  test('an instrument', async () => {
    const operation = start();
    const { instruments } = rig.telemetry.signals;
    Object.assign(rig.telemetry.signals, { instruments: { ...instruments, operationDuration: { record: fails } } });
    operation.end();
    expect(rig.reports).toEqual(['could not record metrics']);
  });

  test('the context manager: the call is made without it', () => {
    const operation = start();
    const spy = jest.spyOn(AsyncLocalStorageContextManager.prototype, 'with').mockImplementation(fails);
    try {
      expect(operation.run((n: number) => n + 1, undefined, 1)).toBe(2);
      expect(spy).toHaveBeenCalled();
    } finally {
      spy.mockRestore();
    }
    operation.end();
  });

  test('the context manager, and then the call: by its own error', () => {
    const operation = start();
    const error = new Error('mine');
    const spy = jest.spyOn(AsyncLocalStorageContextManager.prototype, 'with').mockImplementation(fails);
    try {
      expect(() =>
        operation.run(() => {
          throw error;
        }, undefined),
      ).toThrow(error);
      expect(spy).toHaveBeenCalled();
    } finally {
      spy.mockRestore();
    }
    expect(rig.span('send orders').status.message).toBe('mine');
  });

  test('the context manager before anything: nothing is started', () => {
    const spy = jest.spyOn(AsyncLocalStorageContextManager.prototype, 'active').mockImplementation(fails);
    try {
      expect(rig.telemetry.startSend(rig.plan('send'), {}, writer)).toBeUndefined();
    } finally {
      spy.mockRestore();
    }
  });
});

test('a hook sees the span, the operation and the client’s own message', async () => {
  const seen: unknown[] = [];
  await use({
    spanHook: (span, info) => {
      span.setAttribute('by.hook', true);
      seen.push(info);
    },
  });
  const message = {};
  rig.sent(message);
  expect(rig.span('send orders').attributes['by.hook']).toBe(true);
  expect(seen).toEqual([{ operation: expect.objectContaining({ type: 'send', system: 'memory' }), message }]);
  expect((seen[0] as { message: unknown }).message).toBe(message);
});
