/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { once } from 'node:events';
import {
  type CallOutcome,
  outcomeOf,
  Random,
  shown,
  startTracing,
  type Tracing,
  varied,
} from '@otel-messaging/test-utils';
import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib';
import type * as Callbacks from 'amqplib/callback_api';
import { amqplib, callbackApi, instrumentation } from './amqplib';
import { brokerUrl, freshName } from './broker';
import { content, options, textOf } from './odd-publishes';

/**
 * Valid, odd and malformed arguments, the same with and without instrumentation: what the application sees of a call, of
 * its channel and of the messages must not differ.
 */
const CASES = 120;
/** Without it each answer takes 40 ms. */
const AT_ONCE = { noDelay: true };

interface Seen {
  readonly call: CallOutcome;
  readonly args: string;
  readonly events: readonly string[];
}

interface Publisher {
  readonly channel: Pick<NodeJS.EventEmitter, 'on' | 'off'>;
  publish(method: 'publish' | 'sendToQueue', args: unknown[], confirmed: (error: unknown) => void): unknown;
  /**
   * Resolves when the broker has dealt with everything; rejects if it has closed the channel.
   * @param isSent else there is no confirm to wait for
   */
  synchronize(isSent: boolean): Promise<unknown>;
}

type Open = (connection: Connections) => Promise<Publisher>;

const KINDS: Readonly<Record<string, Open>> = {
  'a channel': async ({ promises }) => ofPromises(await promises.createChannel()),
  'a confirm channel': async ({ promises }) => ofPromises(await promises.createConfirmChannel()),
  'a channel with callbacks': async ({ callbacks }) =>
    ofCallbacks(await called<Callbacks.Channel>((done) => void callbacks.createChannel(done))),
  'a confirm channel with callbacks': async ({ callbacks }) =>
    ofCallbacks(await called<Callbacks.ConfirmChannel>((done) => void callbacks.createConfirmChannel(done))),
};

let tracing: Tracing;

beforeAll(() => {
  tracing = startTracing([instrumentation]);
});

afterAll(async () => {
  instrumentation.enable();
  await tracing.stop();
});

test.each(Object.entries(KINDS))('%s behaves the same with any arguments', async (_, open) => {
  instrumentation.disable();
  const without = await results(open);
  instrumentation.enable();
  const withUs = await results(open);
  expect(withUs.seen.filter((one, seed) => !equal(one, without.seen[seed]))).toEqual(
    without.seen.filter((one, seed) => !equal(one, withUs.seen[seed])),
  );
  expect(withUs.delivered).toEqual(without.delivered);
  expect(without.delivered.length).toBeGreaterThan(CASES / 3);
  expect(tracing.spans().length).toBeGreaterThan(CASES / 3);
  expect(tracing.openSpans).toBe(0);
});

function equal(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What became of every case: each with the broker's answer to it, and the messages that arrived. */
async function results(open: Open): Promise<{ seen: readonly unknown[]; delivered: readonly unknown[] }> {
  const queue = freshName('differential');
  const anonymous = (text: string) => text.replaceAll(queue, 'the queue');
  const connections = new Connections();
  await connections.open();
  const reader = await amqplib.connect(brokerUrl(), AT_ONCE);
  const drain = await reader.createChannel();
  await drain.assertQueue(queue, { expires: 60_000 });
  const seen: unknown[] = [];
  const delivered: unknown[] = [];
  let publisher = await open(connections);
  for (let seed = 0; seed < CASES; seed++) {
    const one = await result(publisher, new Random(seed), queue);
    seen.push({ seed, ...JSON.parse(anonymous(JSON.stringify(one))) });
    if (one.events.some((event) => event.startsWith('closed'))) {
      await connections.close();
      await connections.open();
      publisher = await open(connections);
    } else if (one.call.manner === 'threw') {
      // A confirm channel counts a publish that threw, and waits for its confirm for ever.
      publisher = await open(connections);
    }
    for (
      let message = await drain.get(queue, { noAck: true });
      message;
      message = await drain.get(queue, { noAck: true })
    )
      delivered.push(JSON.parse(anonymous(JSON.stringify({ seed, ...textOf(message) }))));
  }
  await connections.close();
  await reader.close();
  return { seen, delivered };
}

async function result({ channel, publish, synchronize }: Publisher, random: Random, queue: string): Promise<Seen> {
  const method = random.pick(['publish', 'sendToQueue'] as const);
  const to =
    method === 'publish'
      ? [random.isOneIn(15) ? 'no such exchange' : random.pick(['', '', 'amq.fanout']), queue]
      : [queue];
  const args = [...to, content(random), options(random)].map((argument) => varied(random, argument, 60));
  const events: string[] = [];
  const listeners = ['error', 'return'].map((event) => {
    const listener = (value: { readonly message?: string }) => events.push(`${event} ${value.message ?? ''}`);
    channel.on(event, listener);
    return () => channel.off(event, listener);
  });
  const call = await outcomeOf(() => publish(method, args, (error) => events.push(`confirmed ${error}`)));
  await synchronize(call.manner !== 'threw').catch((error) => events.push(`closed ${error.message}`));
  for (const remove of listeners) remove();
  return { call, args: shown(args), events: events.sort() };
}

class Connections {
  promises!: ChannelModel;
  callbacks!: Callbacks.Connection;

  async open(): Promise<void> {
    this.promises = await amqplib.connect(brokerUrl(), AT_ONCE);
    this.callbacks = await called<Callbacks.Connection>((done) => callbackApi.connect(brokerUrl(), AT_ONCE, done));
    for (const connection of [this.promises, this.callbacks]) connection.on('error', () => {});
  }

  async close(): Promise<void> {
    await this.promises.close().catch(() => {});
    await called<void>((done) => this.callbacks.close(done)).catch(() => {});
  }
}

function ofPromises(channel: Channel | ConfirmChannel): Publisher {
  return {
    channel,
    publish: (method, args, confirmed) => send(channel, method, args, 'waitForConfirms' in channel, confirmed),
    synchronize: async (isSent) => {
      if (isSent && 'waitForConfirms' in channel) await closing(channel, (channel as ConfirmChannel).waitForConfirms());
      await closing(channel, channel.checkExchange('amq.direct'));
    },
  };
}

function ofCallbacks(channel: Callbacks.Channel | Callbacks.ConfirmChannel): Publisher {
  return {
    channel,
    publish: (method, args, confirmed) => send(channel, method, args, 'waitForConfirms' in channel, confirmed),
    synchronize: async (isSent) => {
      if (isSent && 'waitForConfirms' in channel)
        await closing(
          channel,
          called<void>((done) => (channel as Callbacks.ConfirmChannel).waitForConfirms(done)),
        );
      await closing(
        channel,
        called((done) => channel.checkExchange('amq.direct', done as never)),
      );
    },
  };
}

function send(channel: object, method: string, args: unknown[], isConfirm: boolean, confirmed: (e: unknown) => void) {
  const arity = method === 'publish' ? 4 : 3;
  const all = isConfirm ? [...Array.from({ length: arity }, (_, i) => args[i]), confirmed] : args;
  return (channel as Record<string, (...args: unknown[]) => unknown>)[method]?.(...all);
}

/** What the broker answers; callbacks never come where it closes the channel instead. */
async function closing(channel: object, answer: Promise<unknown>): Promise<void> {
  const stop = new AbortController();
  const closed = once(channel as NodeJS.EventEmitter, 'close', stop).then(() => {
    throw new Error('by the broker');
  });
  await Promise.race([answer, closed]).finally(() => stop.abort());
}

function called<T>(call: (done: (error: unknown, value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => (error ? reject(error) : resolve(value)));
  });
}
