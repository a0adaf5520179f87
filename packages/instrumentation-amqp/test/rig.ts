/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Rig, RigClient, RigMessage } from '@otel-messaging/test-utils';
import type { Channel, ConfirmChannel, Message, Options } from 'amqplib';
import type * as Callbacks from 'amqplib/callback_api';
import { processMessage } from '../src';
import { amqplib, callbackApi, connectionManager, doors, instrumentation } from './amqplib';
import { brokerUrl, freshName } from './broker';

interface Input {
  readonly content: Buffer;
  readonly options?: Options.Publish;
}

/** What differs between the kinds of channel. */
interface Queue {
  publish(content: unknown, options?: unknown, exchange?: unknown): unknown;
  publishWhenClosed(content: Buffer): unknown;
  flush(): Promise<void>;
  consume(tag: string, handler: (message: Message) => void): Promise<unknown>;
  cancel(tag: string): Promise<void>;
  ack(message: Message): void;
  discard(message: Message): void;
  /** False while it is empty. */
  get?(): Promise<Message | false>;
  close(): Promise<void>;
}

/** Through `amqp-connection-manager`, whose calls answer with promises. */
const wrapperRig: Rig = {
  ...rig('amqp-connection-manager', plainQueue),
  connect: async () => {
    const name = freshName('conformance');
    const manager = connectionManager.connect([brokerUrl()]);
    const wrapper = manager.createChannel({
      setup: async (channel: ConfirmChannel) => {
        await channel.assertQueue(name, { expires: 60_000 });
        await channel.prefetch(1);
      },
    });
    await wrapper.waitForConnect();
    const sent: Promise<unknown>[] = [];
    let consuming: Promise<unknown> = Promise.resolve();
    let cancelling: Promise<void> = Promise.resolve();
    const client = clientOf({
      publish: (content, options) => {
        const answer = wrapper.sendToQueue(name, content as Buffer, options as Options.Publish);
        sent.push(answer.catch(() => {}));
        return answer;
      },
      publishWhenClosed: () => undefined,
      flush: async () => {
        await Promise.all(sent.splice(0));
      },
      consume: (consumerTag, handler) => {
        consuming = wrapper.consume(name, (message) => handler(message), { consumerTag });
        return consuming;
      },
      // The wrapper ignores it for a consumer that the broker has not answered for, even if that has messages already.
      cancel: (tag) => {
        cancelling = consuming.then(() => wrapper.cancel(tag));
        return cancelling;
      },
      ack: (message) => void cancelling.then(() => wrapper.ack(message)),
      discard: (message) => void cancelling.then(() => wrapper.nack(message, false, false)),
      close: () => manager.close(),
    });
    return {
      ...client,
      // What amqplib refuses is an event of the wrapper's, and its promise never settles.
      malformed: {
        'no content': () => wrapper.sendToQueue(name, null),
        'no content, with an exchange': () => wrapper.publish('', name, null),
        'options with a getter that throws': () =>
          wrapper.publish('', name, Buffer.from('x'), {
            get headers() {
              throw new Error('hostile');
            },
          }),
      },
    };
  },
};

/** Pulls, and says itself where the handling of a message is. */
const pullingRig: Rig = {
  ...rig('amqplib, get and processMessage', plainQueue),
  connect: async () => {
    const queue = await plainQueue(freshName('conformance'));
    const pull = async (): Promise<Message> => (await queue.get?.()) || (await pull());
    return {
      ...clientOf(queue),
      consume: async (count, handler) => {
        for (let seen = 0; seen < count; seen++) {
          const message = await pull();
          try {
            await processMessage(message, handler);
            queue.ack(message);
          } catch {
            queue.discard(message);
          }
        }
      },
    };
  },
};

export const rigs: readonly Rig[] = [
  rig('amqplib, promises', plainQueue),
  rig('amqplib, promises, confirms', confirmQueue),
  rig('amqplib, callbacks', callbackQueue),
  pullingRig,
  wrapperRig,
];

function rig(name: string, open: (queue: string) => Promise<Queue>): Rig {
  return {
    name,
    instrumentation,
    doors,
    cannot: { batch: 'amqplib has no call that sends several messages' },
    connect: async () => clientOf(await open(freshName('conformance'))),
  };
}

function clientOf(queue: Queue): RigClient<Input, Message> {
  return {
    input: ({ body, headers }: RigMessage) => ({
      content: Buffer.from(body),
      ...(headers === undefined ? {} : { options: { headers } }),
    }),
    send: ({ content, options }) => queue.publish(content, options),
    flush: () => queue.flush(),
    consume: async (count, handler) => {
      const tag = freshName('consumer');
      let seen = 0;
      const settled: Promise<void>[] = [];
      let isLast = () => {};
      const last = new Promise<void>((resolve) => {
        isLast = resolve;
      });
      const begun = queue.consume(tag, (message) => {
        // Cancelled before the last message is settled: that would bring the next one.
        if (++seen === count) settled.push(queue.cancel(tag));
        const settle = (how: 'ack' | 'discard') => {
          queue[how](message);
          if (seen === count) isLast();
        };
        try {
          const result = handler(message);
          if (!(result instanceof Promise)) return settle('ack');
          return result.then(
            () => settle('ack'),
            () => settle('discard'),
          );
        } catch {
          return settle('discard');
        }
      });
      await Promise.all([begun, last]);
      await Promise.all(settled);
    },
    body: ({ content }) => content.toString(),
    headers: ({ properties }) => properties.headers as Record<string, string>,
    forward: ({ content, properties }) => ({ content, options: { headers: properties.headers } }),
    malformed: {
      'content that is no buffer': () => queue.publish('text'),
      'headers that are no table': () => queue.publish(Buffer.from('x'), { headers: 'text' }),
      'an option of the wrong type': () => queue.publish(Buffer.from('x'), { messageId: 5 }),
      'options with a getter that throws': () =>
        queue.publish(Buffer.from('x'), {
          get headers() {
            throw new Error('hostile');
          },
        }),
      'an exchange that is no string': () => queue.publish(Buffer.from('x'), {}, 5),
      'a channel that is closed': () => queue.publishWhenClosed(Buffer.from('x')),
    },
    full: () => ({ content: Buffer.from('full'), options: { headers: { own: 'x'.repeat(65_536 - 4 - 9) } } }),
    close: () => queue.close(),
  };
}

async function plainQueue(name: string): Promise<Queue> {
  const connection = await amqplib.connect(brokerUrl());
  const closed = await connection.createChannel();
  await closed.close();
  return promiseQueue(name, connection, await connection.createChannel(), closed);
}

async function confirmQueue(name: string): Promise<Queue> {
  const connection = await amqplib.connect(brokerUrl());
  const closed = await connection.createConfirmChannel();
  await closed.close();
  return promiseQueue(name, connection, await connection.createConfirmChannel(), closed);
}

async function promiseQueue(
  name: string,
  connection: { close(): Promise<void> },
  channel: Channel | ConfirmChannel,
  closed: Channel,
): Promise<Queue> {
  await channel.assertQueue(name, { expires: 60_000 });
  await channel.prefetch(1);
  return {
    publish: (content, options, exchange = '') =>
      channel.publish(exchange as string, name, content as Buffer, options as Options.Publish),
    publishWhenClosed: (content) => closed.publish('', name, content),
    flush: async () => {
      if ('waitForConfirms' in channel) await (channel as ConfirmChannel).waitForConfirms();
      else await channel.checkExchange('amq.direct');
    },
    consume: (consumerTag, handler) => channel.consume(name, (message) => message && handler(message), { consumerTag }),
    cancel: async (tag) => {
      await channel.cancel(tag);
    },
    ack: (message) => channel.ack(message),
    discard: (message) => channel.nack(message, false, false),
    get: () => channel.get(name),
    close: () => connection.close(),
  };
}

async function callbackQueue(name: string): Promise<Queue> {
  const connection = await called<Callbacks.Connection>((done) => callbackApi.connect(brokerUrl(), done));
  const closed = await called<Callbacks.Channel>((done) => void connection.createChannel(done));
  await called<void>((done) => closed.close(done));
  const channel = await called<Callbacks.Channel>((done) => void connection.createChannel(done));
  await called((done) => channel.assertQueue(name, { expires: 60_000 }, done as never));
  await called((done) => channel.prefetch(1, false, done as never));
  return {
    publish: (content, options, exchange = '') =>
      channel.publish(exchange as string, name, content as Buffer, options as Options.Publish),
    publishWhenClosed: (content) => closed.publish('', name, content),
    flush: async () => {
      await called((done) => channel.checkExchange('amq.direct', done as never));
    },
    consume: (consumerTag, handler) =>
      called((done) => channel.consume(name, (message) => message && handler(message), { consumerTag }, done)),
    cancel: async (tag) => {
      await called((done) => channel.cancel(tag, done as never));
    },
    ack: (message) => channel.ack(message),
    discard: (message) => channel.nack(message, false, false),
    close: () => called<void>((done) => connection.close(done)),
  };
}

function called<T>(call: (done: (error: unknown, value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => (error ? reject(error) : resolve(value)));
  });
}
