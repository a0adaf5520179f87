/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type Context, context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { eventually, startTracing, type Tracing, traceText } from '@otel-messaging/test-utils';
import type { Channel, ConfirmChannel, Connection, GetMessage, Message } from 'amqplib/callback_api';
import { amqplib, callbackApi, instrumentation } from './amqplib';
import { brokerUrl, freshName } from './broker';

let tracing: Tracing;
let connection: Connection;
let channel: Channel;
let queue: string;

beforeEach(async () => {
  tracing = startTracing([instrumentation]);
  connection = await called<Connection>((done) => callbackApi.connect(brokerUrl(), done));
  connection.on('error', () => {});
  channel = await called<Channel>((done) => void connection.createChannel(done));
  channel.on('error', () => {});
  queue = freshName('queue');
  await called((done) => channel.assertQueue(queue, { expires: 60_000 }, done));
});

afterEach(async () => {
  instrumentation.setConfig({});
  await called<void>((done) => connection.close(done)).catch(() => {});
  await tracing.stop();
});

test('publish, consume and ack', async () => {
  await tracing.inSpan('app', () => void channel.sendToQueue(queue, Buffer.from('one')));
  const ok = await called<{ consumerTag: string }>((done) =>
    channel.consume(
      queue,
      (message) => {
        trace.getTracer('application').startSpan('work').end();
        channel.ack(message as Message);
      },
      {},
      done,
    ),
  );
  expect(typeof ok.consumerTag).toBe('string');
  await eventually('the message', () => tracing.spans().length === 4);
  expect(text()).toBe(
    [
      'app INTERNAL',
      '└─ publish queue PRODUCER',
      '   └─ consume queue CONSUMER  → publish queue',
      '      └─ work INTERNAL',
    ].join('\n'),
  );
});

test('methods give the channel, as without us', () => {
  const message = { fields: { deliveryTag: 1 } } as Message;
  const traced = channel.consume(queue, () => {}) as unknown;
  expect(traced).toBe(channel);
  expect(channel.get(queue, {}, () => {}) as unknown).toBe(channel);
  for (const result of [channel.ack(message), channel.nack(message), channel.reject(message)]) {
    expect(result as unknown).toBe(channel);
  }
  for (const result of [channel.ackAll(), channel.nackAll(), channel.recover()])
    expect(result as unknown).toBe(channel);
});

test('get, with a message and without, in the context of its call', async () => {
  channel.sendToQueue(queue, Buffer.from('one'));
  await tracing.inSpan('app', async () => {
    const results = await new Promise<[unknown, GetMessage | false, unknown]>((resolve) => {
      channel.get(queue, {}, (error, message) => resolve([error, message, trace.getActiveSpan()]));
    });
    expect(results).toMatchObject([null, { content: Buffer.from('one') }, { name: 'app' }]);
    channel.ack(results[1] as GetMessage);
    expect(await called<GetMessage | false>((done) => void channel.get(queue, {}, done))).toBe(false);
  });
  expect(text()).toBe(['publish queue PRODUCER', 'app INTERNAL', '└─ get queue CLIENT  → publish queue'].join('\n'));
});

test('a get that fails gives the error to its callback alone', async () => {
  const missing = freshName('missing');
  const error = await new Promise<Error>((resolve) => void channel.get(missing, {}, (failure) => resolve(failure)));
  expect(error.message).toMatch(/NOT_FOUND/);
  expect(text().replaceAll(missing, 'missing')).toBe('get missing CLIENT !not-found');
});

test('how each message was settled, and a handler that acknowledges first and works on', async () => {
  const settlements: ((message: Message) => unknown)[] = [
    (message) => channel.ack(message),
    (message) => channel.nack(message, false, false),
    (message) => channel.reject(message, false),
    () => channel.ackAll(),
    () => channel.nackAll(false),
    async (message) => {
      channel.ack(message);
      await new Promise(setImmediate);
      trace.getTracer('application').startSpan('work').end();
    },
  ];
  for (const i of settlements.keys()) channel.sendToQueue(queue, Buffer.from(String(i)));
  await called((done) => channel.prefetch(1, false, done as never));
  channel.consume(queue, (message) => settlements[Number(message?.content)]?.(message as Message));
  await eventually('the end of all', () => tracing.spans().length === 13 && tracing.openSpans === 0);
  const consumed = tracing.spans().filter(({ name }) => name.startsWith('consume'));
  expect(consumed.map(({ attributes }) => attributes['messaging.message.settlement'])).toEqual([
    'ack',
    'nack',
    'reject',
    'ack',
    'nack',
    'ack',
  ]);
  const work = tracing.spans().find(({ name }) => name === 'work');
  expect(work?.parentSpanContext?.spanId).toBe(consumed.at(-1)?.spanContext().spanId);
});

test('callbacks run in the context of their calls: what they publish is in the trace of the request', async () => {
  const names: (string | undefined)[] = [];
  const note = () => names.push((trace.getActiveSpan() as { name?: string } | undefined)?.name);
  await tracing.inSpan('app', async () => {
    await new Promise<void>((resolve) => {
      connection.createChannel((_error, own) => {
        note();
        own.assertQueue(queue, { expires: 60_000 }, () => {
          note();
          own.sendToQueue(queue, Buffer.from('one'));
          own.consume(
            queue,
            (message) => own.ack(message as Message),
            {},
            () => {
              note();
              resolve();
            },
          );
        });
      });
    });
  });
  await eventually('the message', () => tracing.spans().length === 3);
  expect(names).toEqual(['app', 'app', 'app']);
  expect(text()).toBe(
    ['app INTERNAL', '└─ publish queue PRODUCER', '   └─ consume queue CONSUMER  → publish queue'].join('\n'),
  );
});

test('callbacks of calls without a context run in none, whatever the connection was opened in', async () => {
  const seen: Record<string, string | undefined> = {};
  const note = (what: string) => {
    seen[what] = propagation.getActiveBaggage()?.getEntry('tenant')?.value;
  };
  const of = (value: string) => propagation.setBaggage(ROOT_CONTEXT, propagation.createBaggage({ tenant: { value } }));
  const own = await context.with(of('opened'), () =>
    called<Connection>((done) => callbackApi.connect(brokerUrl(), done)),
  );
  const inContext = (active: Context, what: string, call: (done: (...args: unknown[]) => void) => void) =>
    context.with(active, () => {
      return new Promise<unknown>((resolve) => {
        call((_, answer) => {
          note(what);
          resolve(answer);
        });
      });
    });
  const opened = (await inContext(ROOT_CONTEXT, 'createChannel', (done) => own.createChannel(done))) as Channel;
  await inContext(ROOT_CONTEXT, 'assertQueue', (done) => opened.assertQueue(queue, { expires: 60_000 }, done));
  await inContext(of('asks'), 'checkQueue', (done) => opened.checkQueue(queue, done));
  await inContext(of('closes'), 'close of a channel', (done) => opened.close(done));
  await inContext(ROOT_CONTEXT, 'close', (done) => own.close(done));
  expect(seen).toEqual({
    createChannel: undefined,
    assertQueue: undefined,
    checkQueue: 'asks',
    'close of a channel': 'closes',
    close: undefined,
  });
});

test('a callback of get that is no function meets the error that it meets without us', async () => {
  const outcome = async () => {
    const own = await called<Connection>((done) => callbackApi.connect(brokerUrl(), done));
    const failed = new Promise<string>((resolve) => own.on('error', (error: Error) => resolve(error.message)));
    const getting = await called<Channel>((done) => void own.createChannel(done));
    getting.get(queue, {}, 'no function' as never);
    return failed;
  };
  const traced = await outcome();
  instrumentation.disable();
  expect(traced).toBe(await outcome());
  instrumentation.enable();
});

test('callbacks get what they get without us, errors too', async () => {
  const outcomes = async () => {
    const own = await called<Channel>((done) => void connection.createChannel(done));
    own.on('error', () => {});
    const ok = await called<{ consumerCount: number }>((done) => void own.checkQueue(queue, done));
    const missing = await new Promise<unknown[]>((resolve) => {
      own.checkQueue('nowhere-at-all', (...args: unknown[]) => resolve(args.map(String)));
    });
    return [ok.consumerCount, missing];
  };
  const traced = await tracing.inSpan('app', outcomes);
  instrumentation.disable();
  expect(traced).toEqual(await outcomes());
  instrumentation.enable();
  expect(String(traced)).toMatch(/NOT_FOUND/);
});

test('confirms, one by one and all together', async () => {
  const confirms = await called<ConfirmChannel>((done) => void connection.createConfirmChannel(done));
  await called<void>(
    (done) => void confirms.sendToQueue(queue, Buffer.from('one'), {}, (error) => done(error, undefined)),
  );
  expect(tracing.openSpans).toBe(0);
  confirms.sendToQueue(queue, Buffer.from('two'));
  expect(tracing.openSpans).toBe(1);
  await new Promise<void>((resolve, reject) =>
    confirms.waitForConfirms((error) => (error ? reject(error) : resolve())),
  );
  expect(tracing.openSpans).toBe(0);
});

test('both APIs in one process', async () => {
  const promises = await amqplib.connect(brokerUrl());
  (await promises.createChannel()).sendToQueue(queue, Buffer.from('one'));
  const message = await new Promise<Message | null>((resolve) => void channel.consume(queue, resolve));
  channel.ack(message as Message);
  await promises.close();
  expect(text()).toBe('publish queue PRODUCER\n└─ consume queue CONSUMER  → publish queue');
});

test('closing the channel ends what is open', async () => {
  channel.sendToQueue(queue, Buffer.from('one'));
  await new Promise((resolve) => void channel.consume(queue, resolve));
  expect(tracing.openSpans).toBe(1);
  await called<void>((done) => channel.close(done));
  expect(tracing.openSpans).toBe(0);
});

function text(): string {
  return traceText(tracing.spans(), { rename: (name) => name.replaceAll(queue, 'queue') });
}

function called<T>(call: (done: (error: unknown, value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => (error ? reject(error) : resolve(value)));
  });
}
