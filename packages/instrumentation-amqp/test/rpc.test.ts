/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { eventually } from '@otel-messaging/test-utils';
import type { Channel, ConsumeMessage } from 'amqplib';
import type * as Callbacks from 'amqplib/callback_api';
import { callbackApi } from './amqplib';
import { brokerUrl } from './broker';
import { type Session, session } from './session';

const CONVERSATION = ['messaging.message.conversation_id'];
const DIRECT = 'amq.rabbitmq.reply-to';

const ONE_TRACE = [
  'app INTERNAL',
  '├─ publish queue PRODUCER {messaging.message.conversation_id=7}',
  '│  └─ consume queue CONSUMER {messaging.message.conversation_id=7}  → publish queue',
  '│     ├─ find the answer INTERNAL',
  '│     └─ publish PRODUCER {messaging.message.conversation_id=7}',
  '│        └─ consume CONSUMER {messaging.message.conversation_id=7}  → publish',
  '│           └─ read the answer INTERNAL',
  '└─ use the answer INTERNAL',
].join('\n');

/** Answers every request; it knows nothing of traces. */
async function serve({ tracing, channel, queue }: Session): Promise<void> {
  await channel.consume(queue, async (request) => {
    if (request === null) return;
    await tracing.inSpan('find the answer', () => {});
    const { replyTo, correlationId } = request.properties;
    channel.sendToQueue(replyTo, Buffer.from(`answer to ${request.content}`), { correlationId });
    channel.ack(request);
  });
}

/** Sends one request and waits for its reply. */
async function call({ tracing, queue }: Session, channel: Channel, replyTo: string, options = {}): Promise<string> {
  let resolve: (message: ConsumeMessage) => void = () => {};
  const reply = new Promise<ConsumeMessage>((r) => {
    resolve = r;
  });
  await channel.consume(
    replyTo,
    (message) => {
      if (message?.properties.correlationId !== '7') return;
      resolve(message);
      return tracing.inSpan('read the answer', () => {});
    },
    { noAck: true },
  );
  return tracing.inSpan('app', async () => {
    channel.sendToQueue(queue, Buffer.from('question'), { replyTo, correlationId: '7', ...options });
    const { content } = await reply;
    await tracing.inSpan('use the answer', () => {});
    return content.toString();
  });
}

test('request and reply are one trace both ways, with a reply queue that the broker names', () =>
  session(async (s) => {
    await serve(s);
    const client = await s.connection.createChannel();
    const { queue } = await client.assertQueue('', { exclusive: true });
    expect(await call(s, client, queue)).toBe('answer to question');
    await eventually('the end of all spans', () => s.tracing.openSpans === 0);
    expect(s.traces(CONVERSATION)).toBe(ONE_TRACE);
  }));

test('so they are with direct reply-to; names of channels stay out of span names and metrics', () =>
  session(async (s) => {
    await serve(s);
    const client = await s.connection.createChannel();
    expect(await call(s, client, DIRECT)).toBe('answer to question');
    await eventually('the end of all spans', () => s.tracing.openSpans === 0);
    expect(s.traces(CONVERSATION)).toBe(ONE_TRACE);
    const toReply = s.tracing.spans().filter(({ attributes }) => attributes['messaging.destination.temporary']);
    const names = toReply.map(({ attributes }) => String(attributes['messaging.destination.name']));
    expect(names).toEqual([expect.stringMatching(/^amq\.rabbitmq\.reply-to\.[^:]+$/), names[0]]);
    expect(JSON.stringify(await s.tracing.metrics())).not.toContain(DIRECT);
  }));

test('a reply that is sent when the handler is over is in the trace of its request still', () =>
  session(async (s) => {
    const { tracing, channel, queue, traces } = s;
    await channel.consume(queue, (request) => {
      if (request === null) return;
      channel.ack(request);
      setTimeout(() => {
        const { replyTo, correlationId } = request.properties;
        channel.sendToQueue(replyTo, Buffer.from('late'), { correlationId });
      }, 5);
    });
    const client = await s.connection.createChannel();
    expect(await call(s, client, DIRECT)).toBe('late');
    await eventually('the end of all spans', () => tracing.openSpans === 0);
    expect(traces()).toBe(
      [
        'app INTERNAL',
        '├─ publish queue PRODUCER',
        '│  └─ consume queue CONSUMER  → publish queue',
        '│     └─ publish PRODUCER',
        '│        └─ consume CONSUMER  → publish',
        '│           └─ read the answer INTERNAL',
        '└─ use the answer INTERNAL',
      ].join('\n'),
    );
  }));

test('a client that is gone: the reply has nowhere to go, and its publish is no error but with mandatory', () =>
  session(async ({ tracing, channel, connection, confirms, queue }) => {
    const client = await connection.createChannel();
    await client.consume(DIRECT, () => {}, { noAck: true });
    client.sendToQueue(queue, Buffer.from('question'), { replyTo: DIRECT, correlationId: '7' });
    const request = await new Promise<ConsumeMessage>((resolve) => {
      void channel.consume(queue, (message) => message && resolve(message), { noAck: true });
    });
    await client.close();
    for (const mandatory of [false, true]) {
      confirms.sendToQueue(request.properties.replyTo, Buffer.from('x'), { mandatory });
      await confirms.waitForConfirms();
    }
    const replies = tracing.spans().filter(({ name }) => name === 'publish');
    expect(replies.map(({ attributes }) => attributes['error.type'])).toEqual([undefined, 'no-route']);
  }));

test('the callback API: one trace too', () =>
  session(async (s) => {
    await serve(s);
    const connection = await new Promise<Callbacks.Connection>((resolve, reject) =>
      callbackApi.connect(brokerUrl(), (error, made) => (error ? reject(error) : resolve(made))),
    );
    const client = connection.createChannel(() => {});
    const reply = new Promise<void>((resolve) => {
      client.consume(DIRECT, () => resolve(), { noAck: true });
    });
    await new Promise((resolve) => client.checkExchange('amq.direct', resolve)); // the consumer is there by then
    await s.tracing.inSpan('app', () => {
      client.sendToQueue(s.queue, Buffer.from('question'), { replyTo: DIRECT, correlationId: '7' });
      return reply;
    });
    await new Promise<void>((resolve) => connection.close(() => resolve()));
    await eventually('the end of all spans', () => s.tracing.openSpans === 0);
    expect(s.traces()).toBe(
      [
        'app INTERNAL',
        '└─ publish queue PRODUCER',
        '   └─ consume queue CONSUMER  → publish queue',
        '      ├─ find the answer INTERNAL',
        '      └─ publish PRODUCER',
        '         └─ consume CONSUMER  → publish',
      ].join('\n'),
    );
  }));
