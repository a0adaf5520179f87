/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context, trace } from '@opentelemetry/api';
import { eventually, unhandledRejections } from '@otel-messaging/test-utils';
import type { GetMessage } from 'amqplib';
import { processMessage } from '../src';
import { instrumentation } from './amqplib';
import { freshName } from './broker';
import { session } from './session';

test('a pulled message makes a receive span that links to its publish, and no process span (C14)', () =>
  session(async ({ tracing, channel, queue, publish, traces }) => {
    await tracing.inSpan('producer', () => publish('one'));
    await tracing.inSpan('app', async () => {
      const message = await channel.get(queue);
      expect(trace.getSpan(context.active())).toMatchObject({ name: 'app' });
      channel.ack(message as GetMessage);
    });
    expect(traces(['rabbitmq.message.delivery_tag'])).toBe(
      [
        'producer INTERNAL',
        '└─ publish queue PRODUCER',
        'app INTERNAL',
        '└─ get queue CLIENT {rabbitmq.message.delivery_tag=1}  → publish queue',
      ].join('\n'),
    );
  }));

test('its name tells exchange and routing key of the message, and no count', () =>
  session(async ({ tracing, channel, queue }) => {
    await channel.bindQueue(queue, 'amq.topic', 'orders.#');
    channel.publish('amq.topic', 'orders.created', Buffer.from('one'), { messageId: 'm-1' });
    let message: GetMessage | false = false;
    await eventually('the message', async () => {
      message = await channel.get(queue, { noAck: true });
      return message !== false;
    });
    expect(message).toMatchObject({ content: Buffer.from('one') });
    const span = tracing.spans().at(-1);
    expect(span?.name).toBe(`get amq.topic:orders.created:${queue}`);
    expect(span?.attributes).toMatchObject({
      'messaging.destination.name': `amq.topic:orders.created:${queue}`,
      'rabbitmq.destination.routing_key': 'orders.created',
      'messaging.message.id': 'm-1',
    });
    expect(span?.attributes).not.toHaveProperty(['messaging.batch.message_count']);
  }));

test('an empty queue gives false and no span; with emptyReceiveSpans it has one', () =>
  session(async ({ tracing, channel, queue, traces }) => {
    expect(await channel.get(queue)).toBe(false);
    expect(tracing.spans()).toEqual([]);
    instrumentation.setConfig({ emptyReceiveSpans: true });
    expect(await channel.get(queue)).toBe(false);
    expect(traces()).toBe('get queue CLIENT');
  }));

test('a queue that is not there: the same rejection, a failed span, and a forgotten one is reported', () =>
  session(async ({ connection, traces }) => {
    const missing = freshName('missing');
    const outcome = async () => {
      const channel = await connection.createChannel();
      channel.on('error', () => {});
      return channel.get(missing).then(String, (error: Error) => error.message);
    };
    const traced = await outcome();
    expect(traced).toMatch(/NOT_FOUND/);
    expect(traces().replaceAll(missing, 'missing')).toBe('get missing CLIENT !not-found');
    const channel = await connection.createChannel();
    channel.on('error', () => {});
    expect(
      await unhandledRejections(async () => {
        void channel.get(missing);
        await new Promise((resolve) => channel.once('close', resolve));
      }),
    ).toHaveLength(1);
    instrumentation.disable();
    expect(traced).toBe(await outcome());
  }));

test.each([
  ['no queue', []],
  ['a queue of the wrong type', [5]],
  ['options of the wrong type', ['queue', 5]],
])('%s meets the error of amqplib, and nothing stays open', (_, args) =>
  session(
    async ({ connection, tracing }) => {
      const outcome = async () => {
        const channel = await connection.createChannel();
        channel.on('error', () => {});
        try {
          return String(await (channel.get as (...args: unknown[]) => Promise<unknown>)(...args));
        } catch (error) {
          return String(error);
        }
      };
      const traced = await outcome();
      expect(tracing.openSpans).toBe(0);
      instrumentation.disable();
      expect(traced).toBe(await outcome());
    },
    { contract: false }, // there is no destination to be named
  ),
);

test('a connection that is lost before the answer: the rejection of amqplib, and a failed span', () =>
  session(async ({ connection, channel, queue, tracing, traces }) => {
    const answer = channel.get(queue);
    const { stream } = (connection as unknown as { connection: { stream: NodeJS.EventEmitter } }).connection;
    stream.emit('error', new Error('read ECONNRESET'));
    await expect(answer).rejects.toThrow('Channel ended, no reply will be forthcoming');
    expect([traces(), tracing.openSpans]).toEqual(['get queue CLIENT !Error', 0]);
  }));

describe('processMessage()', () => {
  test('handles a pulled message in the trace of its publish, with how it was settled', () =>
    session(async ({ tracing, channel, queue, publish, traces }) => {
      await tracing.inSpan('producer', () => publish('one'));
      await tracing.inSpan('app', async () => {
        const message = (await channel.get(queue)) as GetMessage;
        const result = await processMessage(message, async ({ content }) => {
          await tracing.inSpan('work', () => new Promise(setImmediate));
          channel.ack(message);
          return content.toString();
        });
        expect(result).toBe('one');
      });
      expect(traces(['messaging.message.settlement'])).toBe(
        [
          'producer INTERNAL',
          '└─ publish queue PRODUCER',
          '   └─ consume queue CONSUMER {messaging.message.settlement=ack}  → publish queue, get queue, app',
          '      └─ work INTERNAL',
          'app INTERNAL',
          '└─ get queue CLIENT  → publish queue',
        ].join('\n'),
      );
    }));

  test.each([
    [
      'throws',
      () =>
        processMessageThat(() => {
          throw new RangeError('boom');
        }),
    ],
    ['rejects', () => processMessageThat(() => Promise.reject(new RangeError('boom')))],
  ])('a handler that %s has failed, and its error is its own', (_, run) => run());

  function processMessageThat(handler: () => unknown) {
    return session(async ({ channel, queue, publish, traces, tracing }) => {
      await publish('one');
      const message = (await channel.get(queue, { noAck: true })) as GetMessage;
      await expect(async () => processMessage(message, handler)).rejects.toThrow(new RangeError('boom'));
      expect(traces().split('\n')[1]).toBe('└─ consume queue CONSUMER !RangeError  → publish queue, get queue');
      expect(tracing.openSpans).toBe(0);
    });
  }

  test('a message that was not pulled, and one while disabled, are just handled', () =>
    session(async ({ channel, queue, publish, tracing }) => {
      expect(processMessage({ content: 'x' }, ({ content }) => content)).toBe('x');
      await publish('one');
      const message = (await channel.get(queue, { noAck: true })) as GetMessage;
      instrumentation.disable();
      expect(processMessage(message, ({ content }) => content.toString())).toBe('one');
      expect(tracing.spans().map(({ name }) => name.split(' ')[0])).toEqual(['publish', 'get']);
    }));
});
