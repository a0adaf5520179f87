/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { Worker } from 'node:worker_threads';
import { context, trace } from '@opentelemetry/api';
import { eventually, unhandledRejections } from '@otel-messaging/test-utils';
import type { Channel, ConsumeMessage } from 'amqplib';
import { amqplib, instrumentation } from './amqplib';
import { brokerUrl } from './broker';
import { consuming, session, ticks } from './session';

const SETTLEMENT = ['messaging.message.settlement'];

describe('the end of a consume span', () => {
  test('is the end of a promise, after the settlement (S3, S4, S6)', () =>
    session(async ({ channel, queue, publish, tracing, traces }) => {
      await publish('one');
      await consuming<void>(channel, queue, async (message, done) => {
        channel.ack(message);
        done();
        await ticks();
        trace.getTracer('application').startSpan('late work').end();
      });
      expect(tracing.openSpans).toBe(1);
      await eventually('the end of the handler', () => tracing.openSpans === 0);
      expect(traces(SETTLEMENT)).toBe(
        [
          'publish queue PRODUCER',
          '└─ consume queue CONSUMER {messaging.message.settlement=ack}  → publish queue',
          '   └─ late work INTERNAL',
        ].join('\n'),
      );
    }));

  test('is the return of a handler that settles inside', () =>
    session(async ({ channel, queue, publish, tracing, traces }) => {
      await publish('one');
      await consuming<void>(channel, queue, (message, done) => {
        channel.ack(message);
        trace.getTracer('application').startSpan('work after the ack').end();
        expect(tracing.openSpans).toBe(1);
        done();
      });
      expect(traces(SETTLEMENT)).toBe(
        [
          'publish queue PRODUCER',
          '└─ consume queue CONSUMER {messaging.message.settlement=ack}  → publish queue',
          '   └─ work after the ack INTERNAL',
        ].join('\n'),
      );
    }));

  test('is the settlement where the handler gives no promise', () =>
    session(async ({ channel, queue, publish, tracing }) => {
      await publish('one');
      const message = await consuming<ConsumeMessage>(channel, queue, (received, done) => done(received));
      await ticks();
      expect(tracing.openSpans).toBe(1);
      channel.nack(message, false, false);
      expect(tracing.openSpans).toBe(0);
    }));

  test.each([
    ['a handler that returns', () => {}, undefined],
    ['a handler whose promise resolves', () => ticks(), undefined],
    ['a handler whose promise rejects', () => ticks().then(() => Promise.reject(new TypeError('boom'))), 'TypeError'],
  ])('without acknowledgements is the end of %s (S2, S3)', (_, handler, error) =>
    session(async ({ channel, queue, publish, tracing }) => {
      await publish('one');
      const rejections = await unhandledRejections(async () => {
        await consuming<void>(
          channel,
          queue,
          (_message, done) => {
            done();
            return handler();
          },
          { noAck: true },
        );
        await eventually('the end', () => tracing.openSpans === 0, 1000);
      });
      // amqplib drops the promise, so that nobody handles its rejection; that stays so.
      expect(rejections).toEqual(error === undefined ? [] : ['TypeError: boom']);
      expect(tracing.spans().at(-1)?.attributes['error.type']).toBe(error);
      expect(tracing.spans().at(-1)?.attributes['messaging.message.settlement']).toBeUndefined();
    }),
  );

  test.each([
    ['manual acknowledgements', {}],
    ['none', { noAck: true }],
  ])('is a synchronous throw, with %s; amqplib closes the channel as ever (S2)', (_, options) =>
    session(async ({ connection, queue, publish, tracing, traces }) => {
      const channel = await connection.createChannel();
      const failed = new Promise<Error>((resolve) => channel.once('error', resolve));
      const closed = new Promise((resolve) => channel.once('close', resolve));
      await publish('one');
      await channel.consume(
        queue,
        () => {
          throw new RangeError('boom');
        },
        options,
      );
      expect((await failed).message).toBe('boom');
      await closed;
      expect([traces(), tracing.openSpans]).toEqual([
        'publish queue PRODUCER\n└─ consume queue CONSUMER !RangeError  → publish queue',
        0,
      ]);
    }),
  );
});

describe('settlements', () => {
  type Settle = (given: { readonly channel: Channel; readonly message: ConsumeMessage }) => unknown;
  const copyOf = ({ fields }: ConsumeMessage) => ({ fields: { deliveryTag: fields.deliveryTag } }) as ConsumeMessage;
  const cases: readonly [string, Settle, string][] = [
    ['ack', ({ channel, message }) => channel.ack(message), 'ack'],
    ['ack of a copy that has no more than the tag (S5)', ({ channel, message }) => channel.ack(copyOf(message)), 'ack'],
    [
      'ack of a serialised copy (S5)',
      ({ channel, message }) => channel.ack(JSON.parse(JSON.stringify(message))),
      'ack',
    ],
    ['nack', ({ channel, message }) => channel.nack(message), 'requeue'],
    ['nack without requeue', ({ channel, message }) => channel.nack(message, false, false), 'nack'],
    ['reject', ({ channel, message }) => channel.reject(message), 'requeue'],
    ['reject without requeue', ({ channel, message }) => channel.reject(message, false), 'reject'],
    ['ackAll', ({ channel }) => channel.ackAll(), 'ack'],
    ['nackAll', ({ channel }) => channel.nackAll(), 'requeue'],
    ['nackAll without requeue', ({ channel }) => channel.nackAll(false), 'nack'],
    [
      'ack of all, by tag 0',
      ({ channel }) => channel.ack({ fields: { deliveryTag: 0 } } as ConsumeMessage, true),
      'ack',
    ],
    ['recover', ({ channel }) => channel.recover(), 'requeue'],
  ];
  test.each(cases)('%s', (_, settle, expected) =>
    session(async ({ channel, queue, publish, tracing }) => {
      await publish('one');
      let isFirst = true;
      const message = await consuming<ConsumeMessage>(channel, queue, (received, done) => {
        if (isFirst) done(received);
        else channel.ack(received);
        isFirst = false;
      });
      await settle({ channel, message });
      const span = tracing.spans().find(({ name }) => name.startsWith('consume'));
      expect(span?.attributes['messaging.message.settlement']).toBe(expected);
      expect(span?.status.code).toBe(0);
    }),
  );

  test('all up to a tag end those, and no others', () =>
    session(async ({ channel, queue, publish, tracing }) => {
      for (const body of ['one', 'two', 'three']) await publish(body);
      const messages: ConsumeMessage[] = [];
      await consuming<void>(channel, queue, (message, done) => {
        if (messages.push(message) === 3) done();
      });
      channel.ack(messages[1] as ConsumeMessage, true);
      expect(tracing.openSpans).toBe(1);
      channel.nack(messages[2] as ConsumeMessage, true, false);
      const settled = tracing.spans().filter(({ name }) => name.startsWith('consume'));
      expect(settled.map(({ attributes }) => attributes['messaging.message.settlement'])).toEqual([
        'ack',
        'ack',
        'nack',
      ]);
    }));

  test('what throws settles nothing and throws as ever', () =>
    session(async ({ channel, queue, publish, tracing }) => {
      await publish('one');
      const message = await consuming<ConsumeMessage>(channel, queue, (received, done) => done(received));
      for (const wrong of [undefined, null, {}, 5]) expect(() => channel.ack(wrong as never)).toThrow(TypeError);
      expect(() => channel.ack({ fields: { deliveryTag: {} } } as never)).toThrow();
      expect(tracing.openSpans).toBe(1);
      channel.ack(message);
      expect(tracing.openSpans).toBe(0);
    }));
});

describe('nothing stays open', () => {
  async function held(end: (s: Parameters<Parameters<typeof session>[0]>[0]) => Promise<unknown>, error?: string) {
    await session(async (s) => {
      await s.publish('one');
      await s.publish('two');
      let seen = 0;
      // One handler that waits for its settlement, one whose promise never settles.
      await consuming<void>(s.channel, s.queue, (_message, done) => {
        if (++seen === 2) done();
        return seen === 1 ? undefined : new Promise(() => {});
      });
      expect(s.tracing.openSpans).toBe(2);
      await end(s);
      await eventually('the end of all spans', () => s.tracing.openSpans === 0, 2000);
      const consumed = s.tracing.spans().filter(({ name }) => name.startsWith('consume'));
      expect(consumed.map(({ attributes }) => attributes['error.type'])).toEqual([error, error]);
    });
  }

  test('after the channel was closed', () => held(({ channel }) => channel.close()));
  test('after the connection was closed', () => held(({ connection }) => connection.close()));
  test('after the broker closed the channel', () =>
    held(async ({ channel }) => {
      channel.ack({ fields: { deliveryTag: 4711 } } as never);
    }, 'precondition-failed'));
  test('after the connection was lost', () =>
    held(async ({ connection }) => {
      const { stream } = (connection as unknown as { connection: { stream: NodeJS.EventEmitter } }).connection;
      stream.emit('error', new Error('read ECONNRESET'));
    }, 'ChannelClosedError'));
  test('after disabling (S7)', () => held(async () => instrumentation.disable()));
});

test('an acknowledged handler runs on past the close of its channel', () =>
  session(async ({ connection, queue, publish, tracing }) => {
    const channel = await connection.createChannel();
    await publish('one');
    let finish = () => {};
    await consuming<void>(channel, queue, (message, done) => {
      channel.ack(message);
      done();
      return new Promise<void>((resolve) => {
        finish = resolve;
      });
    });
    await channel.close();
    expect(tracing.openSpans).toBe(1);
    finish();
    await eventually('the end of the handler', () => tracing.openSpans === 0, 1000);
  }));

test('a handler may settle after its consumer was cancelled', () =>
  session(async ({ channel, queue, publish, tracing }) => {
    await publish('one');
    let message: ConsumeMessage | undefined;
    const { consumerTag } = await channel.consume(queue, (received) => {
      message = received ?? undefined;
    });
    await eventually('the message', () => message !== undefined);
    await channel.cancel(consumerTag);
    expect(tracing.openSpans).toBe(1);
    channel.ack(message as ConsumeMessage);
    expect(tracing.spans().at(-1)?.attributes['messaging.message.settlement']).toBe('ack');
  }));

test('a queue that is deleted under its consumer: what was delivered may be settled, and ends with the channel at the latest', () =>
  session(async ({ channel, queue, publish, tracing }) => {
    for (const body of ['one', 'two']) await publish(body);
    const seen: (ConsumeMessage | null)[] = [];
    await channel.consume(queue, (message) => void seen.push(message));
    await eventually('both messages', () => seen.length === 2);
    await channel.deleteQueue(queue);
    await eventually('the cancellation', () => seen.length === 3);
    expect([seen[2], tracing.openSpans]).toEqual([null, 2]);
    channel.ack(seen[0] as ConsumeMessage);
    expect(tracing.spans().at(-1)?.attributes['messaging.message.settlement']).toBe('ack');
    await channel.close();
    expect(tracing.openSpans).toBe(0);
  }));

test('of prefetched messages, only those that were handed over have spans', () =>
  session(async ({ channel, queue, publish, tracing }) => {
    for (const body of ['one', 'two', 'three', 'four']) await publish(body);
    await channel.prefetch(2);
    const seen: ConsumeMessage[] = [];
    await channel.consume(queue, (message) => void (message && seen.push(message)));
    await eventually('two messages', () => seen.length === 2);
    expect(tracing.openSpans).toBe(2);
    channel.ack(seen[0] as ConsumeMessage);
    await eventually('the third', () => seen.length === 3);
    expect(tracing.openSpans).toBe(2);
    channel.ackAll();
    await eventually('the fourth', () => seen.length === 4);
    channel.ackAll();
    expect(tracing.openSpans).toBe(0);
  }));

test('a worker thread that is handed a message says by its tag how it went (S5)', () =>
  session(async ({ channel, queue, publish, tracing }) => {
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads');
       parentPort.on('message', ({ deliveryTag, body }) => parentPort.postMessage({ deliveryTag, isGood: body === 'good' }));`,
      { eval: true },
    );
    worker.on('message', ({ deliveryTag, isGood }) => {
      const message = { fields: { deliveryTag } } as ConsumeMessage;
      if (isGood) channel.ack(message);
      else channel.reject(message, false);
    });
    for (const body of ['good', 'bad']) await publish(body);
    await channel.consume(queue, (message) => {
      if (message === null) return;
      worker.postMessage({ deliveryTag: message.fields.deliveryTag, body: message.content.toString() });
    });
    await eventually('both settlements', () => tracing.spans().length === 4 && tracing.openSpans === 0);
    await worker.terminate();
    const consumed = tracing.spans().filter(({ name }) => name.startsWith('consume'));
    expect(consumed.map(({ attributes }) => attributes['messaging.message.settlement'])).toEqual(['ack', 'reject']);
  }));

test('null, by which amqplib tells of a cancelled consumer, is passed on', () =>
  session(async ({ channel, queue, tracing }) => {
    const seen = new Promise((resolve) => channel.consume(queue, resolve));
    await channel.checkQueue(queue);
    await channel.deleteQueue(queue);
    expect(await seen).toBeNull();
    expect(tracing.openSpans).toBe(0);
  }));

test('a disabled instrumentation silences consumers that are there already (S7)', () =>
  session(async ({ channel, queue, publish, tracing }) => {
    let seen = 0;
    await channel.consume(queue, (message) => {
      seen++;
      if (message) channel.ack(message);
    });
    instrumentation.disable();
    await publish('one');
    await eventually('the message', () => seen === 1);
    expect([tracing.spans().length, tracing.openSpans]).toEqual([0, 0]);
    instrumentation.enable();
    await publish('two');
    await eventually('the message', () => seen === 2);
    expect(tracing.spans().map(({ name }) => name)).toEqual([`publish ${queue}`, `consume ${queue}`]);
  }));

test('a handler that ends unsettled is not kept: nothing of its message stays (S8)', () =>
  session(async ({ channel, queue, publish, tracing }) => {
    for (let i = 0; i < 20; i++) await publish(String(i));
    let seen = 0;
    await consuming<void>(channel, queue, async (_message, done) => {
      if (++seen === 20) done();
    });
    await eventually('the end of all handlers', () => tracing.openSpans === 0);
    const states = Object.getOwnPropertySymbols(channel).map((key) => (channel as never)[key]);
    const state = states.find((value: unknown) => (value as { open?: unknown }).open) as unknown as {
      open: { size: number };
    };
    expect(state.open.size).toBe(0);
    expect(Object.keys(channel)).not.toContain('otel-messaging channel');
  }));

test('the handler runs in the context of its message alone, whatever was active when it was registered (C11)', () =>
  session(async ({ tracing, queue, publish }) => {
    const connection = await tracing.inSpan('start', () => amqplib.connect(brokerUrl()));
    const channel = await connection.createChannel();
    const seen = tracing.inSpan('register', () =>
      consuming<unknown>(channel, queue, (message, done) => {
        channel.ack(message);
        done(trace.getSpan(context.active())?.spanContext().traceId);
      }),
    );
    await tracing.inSpan('app', () => publish('one'));
    const app = tracing.spans().find(({ name }) => name === 'app');
    expect(await seen).toBe(app?.spanContext().traceId);
    await connection.close();
  }));

test.each([
  ['ambient', 'publish queue PRODUCER\n└─ consume queue CONSUMER  → publish queue'],
  ['none', 'publish queue PRODUCER\nconsume queue CONSUMER  → publish queue'],
] as const)('processParent: %s (C11, C12)', (processParent, expected) =>
  session(async ({ channel, queue, publish, traces }) => {
    instrumentation.setConfig({ processParent });
    await publish('one');
    await consuming<void>(channel, queue, (message, done) => {
      channel.ack(message);
      done();
    });
    expect(traces()).toBe(expected);
  }),
);

test('a context that came as bytes, or in capitals, is found (C13)', () =>
  session(async ({ channel, queue, publish, tracing }) => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    instrumentation.disable();
    await publish('one', { headers: { traceparent: Buffer.from(traceparent) } });
    await publish('two', { headers: { TraceParent: traceparent } });
    instrumentation.enable();
    let seen = 0;
    await consuming<void>(channel, queue, (message, done) => {
      channel.ack(message);
      if (++seen === 2) done();
    });
    expect(tracing.spans().map((span) => span.parentSpanContext?.spanId)).toEqual([
      'b7ad6b7169203331',
      'b7ad6b7169203331',
    ]);
  }));

test('the time in the queue is told by the timestamp property', () =>
  session(async ({ channel, queue, publish, tracing }) => {
    await publish('one', { timestamp: Date.now() - 5000 });
    await consuming<void>(channel, queue, (message, done) => {
      channel.ack(message);
      done();
    });
    const latency = tracing.spans().at(-1)?.attributes['messaging.message.receive.latency'];
    expect(latency).toBeGreaterThanOrEqual(5000);
    expect(latency).toBeLessThan(10_000);
  }));

test('a callback that is no function meets the error of amqplib', () =>
  session(async ({ connection, queue, publish }) => {
    const outcome = async () => {
      const channel = await connection.createChannel();
      const error = new Promise<Error>((resolve) => channel.once('error', resolve));
      await publish('one');
      await channel.consume(queue, 'text' as never, { noAck: true });
      return (await error).message;
    };
    const traced = await outcome();
    instrumentation.disable();
    expect(traced).toBe(await outcome());
  }));
