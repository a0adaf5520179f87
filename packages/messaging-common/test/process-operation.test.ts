/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AlwaysOffSampler, ParentBasedSampler } from '@opentelemetry/sdk-trace-base';
import { unhandledRejections } from '@otel-messaging/test-utils';
import { deliveryOf, runningHandler } from '../src';
import type { MessageReader } from '../src/operation';
import { AT_SETTLEMENT, activeSpanId, applicationWork, type Message, PROMISE, pause, Rig, reader } from './support';

let rig: Rig;

beforeEach(() => {
  rig = new Rig();
});

afterEach(async () => {
  expect(rig.tracing.openSpans).toBe(0);
  await rig.tracing.stop();
});

async function use(...args: ConstructorParameters<typeof Rig>): Promise<void> {
  await rig.tracing.stop();
  rig = new Rig(...args);
}

function start(message: Message, format: MessageReader<Message> = reader) {
  const operation = rig.telemetry.startProcess(rig.plan('process'), message, format);
  if (operation === undefined) throw new Error('not started');
  return operation;
}

/** A remote producer's message. */
const foreign = (more: Record<string, string> = {}): Message => ({
  headers: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, ...more },
});

const linkOnly: MessageReader<Message> = {
  ...reader,
  otherContext: () => ({
    spanContext: { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), traceFlags: 1 },
    linkOnly: true,
  }),
};

const parentOf = (name: string) => rig.span(name).parentSpanContext?.spanId;
const linksOf = (name: string) => rig.span(name).links.map((link) => link.context.spanId);

describe('a pushed message', () => {
  test('continues the trace of its creation context, and links it', () => {
    start(rig.sent()).handle(PROMISE, () => applicationWork(), undefined);
    expect(rig.text()).toBe(
      ['send orders PRODUCER', '└─ process orders CONSUMER  → send orders', '   └─ work INTERNAL'].join('\n'),
    );
  });

  test('has no parent in what was active when the client connected', async () => {
    await rig.tracing.inSpan('connect', () => start({}).handle(PROMISE, () => {}, undefined));
    expect(parentOf('process orders')).toBeUndefined();
    expect(linksOf('process orders')).toEqual([]);
  });

  test('brings its baggage into the handler', () => {
    const seen = start(foreign({ baggage: 'tenant=a' })).handle(
      PROMISE,
      () => propagation.getActiveBaggage()?.getEntry('tenant')?.value,
      undefined,
    );
    expect(seen).toBe('a');
  });

  test('brings baggage without a context too', () => {
    const seen = start({ headers: { baggage: 'tenant=a' } }).handle(
      PROMISE,
      () => propagation.getActiveBaggage()?.getEntry('tenant')?.value,
      undefined,
    );
    expect(seen).toBe('a');
  });

  test('is counted once, when it is handed over', async () => {
    const operation = start({});
    expect(await rig.counts('messaging.client.consumed.messages')).toEqual({ 'memory process orders': 1 });
    operation.handle(PROMISE, () => {}, undefined);
    expect(await rig.counts('messaging.client.consumed.messages')).toEqual({ 'memory process orders': 1 });
  });

  test('says how long it was in the queue', async () => {
    start({ sentAtMs: Date.now() - 2000 }).handle(PROMISE, () => {}, undefined);
    const latency = Number(rig.span('process orders').attributes['messaging.message.receive.latency']);
    expect(latency).toBeGreaterThanOrEqual(2000);
    expect(latency).toBeLessThan(4000);
    const points = (await rig.counts('messaging.message.queue.duration')) as Record<string, { sum: number }>;
    expect(Object.keys(points)).toEqual(['memory orders']); // whoever handles it, and in which partition
    expect(points['memory orders']?.sum).toBeCloseTo(latency / 1000, 1);
  });

  test('from the future was in the queue for no time, and the clock is counted', async () => {
    start({ sentAtMs: Date.now() + 60_000 }).handle(PROMISE, () => {}, undefined);
    expect(rig.span('process orders').attributes['messaging.message.receive.latency']).toBe(0);
    expect(await rig.counts('messaging.message.clock_skew')).toEqual({ 'memory orders': 1 });
  });

  test.each([Number.NaN, 0, -5, undefined])('sent at %s has no time in the queue', (sentAtMs) => {
    start({ sentAtMs }).handle(PROMISE, () => {}, undefined);
    expect(rig.span('process orders').attributes).not.toHaveProperty('messaging.message.receive.latency');
  });

  test('of an unsampled trace is unsampled, and describe is not called', async () => {
    await use({}, { sampler: new ParentBasedSampler({ root: new AlwaysOffSampler() }) });
    const describe = jest.fn(() => ({}));
    const flags = start({}, { ...reader, describe }).handle(
      PROMISE,
      () => trace.getActiveSpan()?.spanContext().traceFlags,
      undefined,
    );
    expect(flags).toBe(0);
    expect(describe).not.toHaveBeenCalled();
  });
});

describe('parents and links of a message that the application pulled', () => {
  /** Names of parent and links of the process span, with and without a span around the loop. */
  async function relations(message: Message, isAmbient: boolean, format = reader) {
    const walk = async () => {
      const list = [message];
      rig.telemetry
        .startReceive(rig.plan('receive', { isBatch: true }))
        ?.endWithMessages(list, format, rig.plan('process'));
      for (const _ of list) await pause();
    };
    await (isAmbient ? rig.tracing.inSpan('ambient', walk) : walk());
    const names = new Map(rig.tracing.spans().map((span) => [span.spanContext().spanId, span.name.split(' ')[0]]));
    names.set('b'.repeat(16), 'creation').set('d'.repeat(16), 'other');
    const span = rig.span('process orders');
    const parent = span.parentSpanContext === undefined ? 'none' : names.get(span.parentSpanContext.spanId);
    return [parent, ...span.links.map(({ context: { spanId } }) => names.get(spanId))].join(' ');
  }

  test.each<[string, Message, boolean, 'creation' | 'ambient' | 'none', boolean, string]>([
    // what, message, span around, processParent, trusted, parent and links
    ['a context', foreign(), false, 'creation', true, 'creation creation receive'],
    ['a context', foreign(), true, 'creation', true, 'creation creation receive ambient'],
    ['a context', foreign(), false, 'ambient', true, 'creation creation receive'],
    ['a context', foreign(), true, 'ambient', true, 'ambient creation receive'],
    ['a context', foreign(), false, 'none', true, 'none creation receive'],
    ['a context', foreign(), true, 'none', true, 'none creation receive ambient'],
    ['a context', foreign(), false, 'creation', false, 'none creation receive'],
    ['a context', foreign(), true, 'creation', false, 'none creation receive ambient'],
    ['a context', foreign(), true, 'ambient', false, 'ambient creation receive'],
    ['a context', foreign(), false, 'ambient', false, 'none creation receive'],
    ['no context', {}, false, 'creation', true, 'none receive'],
    ['no context', {}, true, 'creation', true, 'ambient receive'],
    ['no context', {}, true, 'ambient', true, 'ambient receive'],
    ['no context', {}, true, 'none', true, 'none receive ambient'],
    ['a malformed context', { headers: { traceparent: 'x' } }, false, 'creation', true, 'none receive'],
  ])(
    '%s: %j, ambient %s, %s, trusted %s: %s',
    async (_, message, isAmbient, processParent, trustIncoming, expected) => {
      await use({ processParent, trustIncoming });
      expect(await relations(message, isAmbient)).toBe(expected);
    },
  );

  test.each<[boolean, string]>([
    [false, 'none other receive'],
    [true, 'ambient other receive'],
  ])('a context that is for links only, ambient %s: %s', async (isAmbient, expected) => {
    expect(await relations({}, isAmbient, linkOnly)).toBe(expected);
  });

  test('a span that has ended is neither', async () => {
    const span = trace.getTracer('application').startSpan('ended');
    span.end();
    await context.with(trace.setSpan(ROOT_CONTEXT, span), async () => {
      expect(await relations(foreign(), false)).toBe('creation creation receive');
    });
  });
});

describe('a message of a producer that is not trusted', () => {
  test('is handled in a new trace that links to the producer, without its baggage', async () => {
    await use({ trustIncoming: false });
    const seen = start(foreign({ baggage: 'tenant=a' })).handle(
      PROMISE,
      () => propagation.getActiveBaggage(),
      undefined,
    );
    expect(seen).toBeUndefined();
    expect(parentOf('process orders')).toBeUndefined();
    expect(linksOf('process orders')).toEqual(['b'.repeat(16)]);
    expect(rig.span('process orders').spanContext().traceId).not.toBe('a'.repeat(32));
  });

  test('is told by its destination', async () => {
    await use({ trustIncoming: (destination) => destination !== 'orders' });
    start(foreign()).handle(PROMISE, () => {}, undefined);
    expect(parentOf('process orders')).toBeUndefined();
  });

  test('is one whose predicate fails', async () => {
    await use({
      trustIncoming: () => {
        throw new Error('mine');
      },
    });
    start(foreign()).handle(PROMISE, () => {}, undefined);
    expect(parentOf('process orders')).toBeUndefined();
  });

  test('is one whose predicate is asynchronous, whatever it will say', async () => {
    const forgotten = await unhandledRejections(async () => {
      for (const answer of [async () => true, async () => Promise.reject(new Error('mine'))]) {
        await use({ trustIncoming: answer as never });
        start(foreign()).handle(PROMISE, () => {}, undefined);
        expect(parentOf('process orders')).toBeUndefined();
      }
    });
    expect(forgotten).toEqual([]);
  });
});

describe('the handler', () => {
  test('gets this and its arguments, and gives back what it gives', () => {
    const self = {};
    const handler = function (this: unknown, ...args: unknown[]) {
      return [this, args];
    };
    expect(start({}).handle(PROMISE, handler, self, 1, undefined)).toEqual([self, [1, undefined]]);
  });

  test('gives back its very own promise', async () => {
    const promise = pause();
    expect(start({}).handle(PROMISE, () => promise, undefined)).toBe(promise);
    expect(rig.tracing.openSpans).toBe(1);
    await promise;
  });

  test('that throws marks the span, with the same error', async () => {
    const error = new RangeError('mine');
    const throws = () => {
      throw error;
    };
    expect(() => start({}).handle(PROMISE, throws, undefined)).toThrow(error);
    expect(rig.span('process orders').status).toEqual({ code: 2, message: 'mine' });
    expect(Object.keys(await rig.counts('messaging.process.duration'))).toEqual(['memory process orders RangeError']);
  });

  test('that rejects marks the span', async () => {
    const promise = start({}).handle(PROMISE, async () => Promise.reject(new RangeError('mine')), undefined);
    await expect(promise).rejects.toThrow('mine');
    expect(rig.span('process orders').attributes['error.type']).toBe('RangeError');
  });

  test('leaves what was active as it was', async () => {
    await rig.tracing.inSpan('connect', async () => {
      const before = activeSpanId();
      start({}).handle(PROMISE, () => expect(activeSpanId()).not.toBe(before), undefined);
      expect(activeSpanId()).toBe(before);
    });
  });

  test('of a promise class whose copies cannot be made is over when it returns', () => {
    class Odd extends Promise<void> {
      static override get [Symbol.species]() {
        return class {
          constructor() {
            throw new Error('odd');
          }
        } as never;
      }
    }
    const promise = new Odd(() => {});
    expect(start({}).handle(PROMISE, () => promise, undefined)).toBe(promise);
  });

  test('whose rejection the client awaits is not reported as unhandled', async () => {
    const code = () => {
      const promise = start({}).handle(PROMISE, () => Promise.reject(new Error('awaited')), undefined);
      promise.catch(() => {});
    };
    expect(await unhandledRejections(code)).toEqual([]);
  });

  test('whose rejection the client drops is reported as unhandled, once', async () => {
    const manner = { endsAtSettlement: false, dropsPromise: true };
    const code = () => void start({}).handle(manner, () => Promise.reject(new Error('dropped')), undefined);
    expect(await unhandledRejections(code)).toEqual(['Error: dropped']);
  });
});

describe('settlement', () => {
  const settlement = () => rig.span('process orders').attributes['messaging.message.settlement'];

  test('ends a span whose handler has returned', () => {
    const operation = start({});
    operation.handle(AT_SETTLEMENT, () => {}, undefined);
    expect(rig.tracing.openSpans).toBe(1);
    operation.settle('ack');
    expect(settlement()).toBe('ack');
  });

  test('does not end the span of a handler that is running', async () => {
    const operation = start({});
    const promise = operation.handle(
      AT_SETTLEMENT,
      async () => {
        operation.settle('ack');
        await pause();
        applicationWork();
      },
      undefined,
    );
    expect(rig.tracing.openSpans).toBe(1);
    await promise;
    expect(settlement()).toBe('ack');
  });

  test('within a synchronous handler ends it at its return', () => {
    const operation = start({});
    operation.handle(AT_SETTLEMENT, () => operation.settle('reject'), undefined);
    expect(settlement()).toBe('reject');
  });

  test('is told once', () => {
    const operation = start({});
    operation.handle(
      AT_SETTLEMENT,
      () => {
        operation.settle('nack');
        operation.settle('ack');
      },
      undefined,
    );
    operation.settle('ack');
    expect(settlement()).toBe('nack');
  });

  test('after the handler’s promise is no matter of its span', async () => {
    const operation = start({});
    await operation.handle(AT_SETTLEMENT, () => pause(), undefined);
    operation.settle('ack');
    expect(settlement()).toBeUndefined();
  });
});

describe('a pulled message', () => {
  test('keeps the baggage of the application where it brings none', async () => {
    const baggage = propagation.createBaggage({ own: { value: 'x' } });
    await context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), async () => {
      for (const _ of rig.received([foreign()])) expect(propagation.getActiveBaggage()).toBe(baggage);
      for (const _ of rig.received([foreign({ baggage: 'tenant=a' })])) {
        expect(propagation.getActiveBaggage()?.getEntry('tenant')?.value).toBe('a');
      }
      expect(propagation.getActiveBaggage()).toBe(baggage);
    });
  });

  test('that is settled after a body that asked for nothing gets its span, as long as the body was', async () => {
    const list = rig.received([rig.sent()]);
    for (const _ of list);
    const overMs = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 20));
    deliveryOf(list[0])?.settle('delete');
    const span = rig.span('process orders');
    expect(span.attributes['messaging.message.settlement']).toBe('delete');
    expect(span.endTime[0] * 1000 + span.endTime[1] / 1e6).toBeLessThan(overMs + 2);
  });

  test('settled in its body notes it on the span', async () => {
    for (const message of rig.received([rig.sent()])) {
      await pause();
      deliveryOf(message)?.settle('delete');
    }
    expect(rig.span('process orders').attributes['messaging.message.settlement']).toBe('delete');
  });

  test('a sampler that fails leaves the body without a span, and alone', async () => {
    await use(
      {},
      {
        sampler: {
          shouldSample: () => {
            throw new Error('ours');
          },
        },
      },
    );
    for (const _ of rig.received([{}])) {
      await pause();
      expectNoSpan();
    }
    expect(rig.reports).toContain('could not start a process span');
  });

  test('its duration is measured once, in seconds', async () => {
    for (const _ of rig.received([rig.sent(), rig.sent()])) await pause();
    const [point] = Object.values(await rig.counts('messaging.process.duration')) as { count: number; sum: number }[];
    expect(point?.count).toBe(2);
    expect(point?.sum).toBeLessThan(1);
  });
});

function expectNoSpan(): void {
  expect(trace.getActiveSpan()).toBeUndefined();
}

describe('several messages in one callback', () => {
  const startBatch = (messages: Message[]) => {
    const operation = rig.telemetry.startBatchProcess(
      rig.plan('process', { isBatch: true }),
      messages,
      reader,
      rig.plan('process', { destination: { name: 'one' } }),
    );
    if (operation === undefined) throw new Error('not started');
    return operation;
  };

  test('get one span that links to all of them and has no parent of theirs', () => {
    startBatch([rig.sent({ facts: { id: 'a' } }), rig.sent(), {}]).handle(() => {}, undefined);
    expect(rig.text(['messaging.batch.message_count'])).toContain(
      'process orders CONSUMER {messaging.batch.message_count=3}  → send orders, send orders',
    );
    expect(parentOf('process orders')).toBeUndefined();
    expect(rig.span('process orders').links[0]?.attributes).toEqual({ 'messaging.message.id': 'a' });
  });

  test('get a span each while they are walked, linked to the one of the batch', async () => {
    const messages = [rig.sent(), rig.sent()];
    await startBatch(messages).handle(async () => {
      for (const _ of messages) {
        await pause();
        applicationWork();
      }
      applicationWork('commit');
    }, undefined);
    expect(rig.text()).toBe(
      [
        'send orders PRODUCER',
        '└─ process one CONSUMER  → send orders, process orders',
        '   └─ work INTERNAL',
        'send orders PRODUCER',
        '└─ process one CONSUMER  → send orders, process orders',
        '   └─ work INTERNAL',
        'process orders CONSUMER  → send orders, send orders',
        '└─ commit INTERNAL',
      ].join('\n'),
    );
  });

  test('handled in a function that is awaited leave the batch’s span active', async () => {
    const messages = [rig.sent(), rig.sent()];
    const handleAll = async () => {
      for (const _ of messages) await pause();
    };
    await startBatch(messages).handle(async () => {
      await handleAll();
      applicationWork('commit');
    }, undefined);
    expect(parentOf('commit')).toBe(rig.span('process orders').spanContext().spanId);
  });

  test('are measured each if they had spans, else as one', async () => {
    const count = async () =>
      Object.entries(await rig.counts('messaging.process.duration')).map(([key, value]) => [
        key,
        (value as { count: number }).count,
      ]);
    startBatch([rig.sent(), rig.sent()]).handle(() => {}, undefined);
    expect(await count()).toEqual([['memory process orders', 1]]);
    const messages = [rig.sent(), rig.sent()];
    await startBatch(messages).handle(async () => {
      for (const _ of messages) await pause();
    }, undefined);
    expect(await count()).toEqual([
      ['memory process orders', 1],
      ['memory process one', 2],
    ]);
  });

  test('are counted when they are handed over', async () => {
    startBatch([{}, {}, {}]).handle(() => {}, undefined);
    expect(await rig.counts('messaging.client.consumed.messages')).toEqual({ 'memory process orders': 3 });
  });

  test('in a frozen array get their one span', () => {
    startBatch(Object.freeze([rig.sent()]) as Message[]).handle(() => {}, undefined);
    expect(rig.reports).toEqual([]);
    expect(linksOf('process orders')).toHaveLength(1);
  });

  test('whose handler rejects', async () => {
    const promise = startBatch([{}]).handle(() => Promise.reject(new RangeError('mine')), undefined);
    await expect(promise).rejects.toThrow('mine');
    expect(rig.span('process orders').attributes['error.type']).toBe('RangeError');
  });

  test('whose handler throws', () => {
    const throws = () => {
      throw new RangeError('mine');
    };
    expect(() => startBatch([{}]).handle(throws, undefined)).toThrow('mine');
    expect(rig.span('process orders').attributes['error.type']).toBe('RangeError');
  });

  test('forwarded: their contexts are replaced', () => {
    const message = foreign();
    startBatch([message, foreign()]).handle(() => rig.sent(message), undefined);
    expect(linksOf('send orders')).toEqual([]);
  });

  test('forwarded: the baggage of each, which the handler of a batch has not, stays', () => {
    const message = foreign({ baggage: 'tenant=a' });
    let sent: Message = {};
    startBatch([message, foreign()]).handle(() => {
      sent = rig.sent(message);
    }, undefined);
    expect(sent.headers?.['baggage']).toBe('tenant=a');
    expect(sent.headers?.['traceparent']).not.toBe(message.headers?.['traceparent']);
  });
});

describe('without a tracer', () => {
  test('a message is handled as ever, and measured', async () => {
    trace.disable();
    rig.telemetry.isOn();
    expect(start(foreign()).handle(PROMISE, () => 'result', undefined)).toBe('result');
    expect(Object.keys(await rig.counts('messaging.process.duration'))).toEqual(['memory process orders']);
  });
});

describe('a wrapper between client and handler', () => {
  /** As a wrapper that calls the handler and returns nothing to the client. */
  function keepsPromise(handler: () => Promise<unknown>): undefined {
    runningHandler()?.watch(handler(), false);
    return undefined;
  }

  test('that drops the promise of a handler can have it watched', async () => {
    const operation = start(foreign());
    operation.handle(PROMISE, () => keepsPromise(async () => pause()), undefined);
    expect(rig.tracing.openSpans).toBe(1);
    await pause();
    await pause();
    expect(rig.tracing.openSpans).toBe(0);
  });

  test('is waited for besides the promise that the client gets, and the last one ends the span', async () => {
    let finish: (value?: unknown) => void = () => {};
    const later = new Promise((resolve) => {
      finish = resolve;
    });
    const operation = start(foreign());
    const result = operation.handle(AT_SETTLEMENT, async () => keepsPromise(() => later), undefined);
    operation.settle('ack');
    await result;
    await pause();
    expect(rig.tracing.openSpans).toBe(1);
    finish();
    await pause();
    expect(rig.tracing.openSpans).toBe(0);
  });

  test('that keeps an error to itself can have it noted', async () => {
    const operation = start(foreign());
    operation.handle(PROMISE, () => runningHandler()?.failsWith(new RangeError('kept')), undefined);
    expect(rig.tracing.spans().at(-1)?.attributes['error.type']).toBe('RangeError');
  });

  test('finds no handler outside of one, nor one that is over', async () => {
    expect(runningHandler()).toBeUndefined();
    const operation = start(foreign());
    const after = operation.handle(PROMISE, async () => pause().then(pause), undefined).then(() => runningHandler());
    await context.with(operation.context, async () => {
      expect(runningHandler()).toBe(operation);
      await after;
      await pause();
      expect(runningHandler()).toBeUndefined();
    });
  });
});
