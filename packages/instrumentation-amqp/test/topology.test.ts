/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { eventually } from '@otel-messaging/test-utils';
import type { Channel } from 'amqplib';
import { amqplib } from './amqplib';
import { brokerUrl, freshName } from './broker';
import { session } from './session';

/** Acknowledges all that comes; how many there were. */
async function consumed(channel: Channel, queue: string, options = {}): Promise<() => number> {
  let seen = 0;
  await channel.consume(
    queue,
    (message) => {
      if (message) channel.ack(message);
      seen++;
    },
    options,
  );
  return () => seen;
}

test('a trace goes through a headers exchange, which does not mind the headers of ours', () =>
  session(async ({ channel, queue, traces }) => {
    const exchange = freshName('exchange');
    await channel.assertExchange(exchange, 'headers', { autoDelete: true });
    await channel.bindQueue(queue, exchange, '', { 'x-match': 'all', tenant: 'a', size: 5 });
    channel.publish(exchange, '', Buffer.from('matches'), { headers: { tenant: 'a', size: 5 } });
    channel.publish(exchange, '', Buffer.from('does not'), { headers: { tenant: 'b', size: 5 } });
    const seen = await consumed(channel, queue);
    await eventually('the message', () => seen() === 1);
    expect(traces().replaceAll(exchange, 'exchange')).toBe(
      [
        'publish exchange PRODUCER',
        '└─ consume exchange:queue CONSUMER  → publish exchange',
        'publish exchange PRODUCER',
      ].join('\n'),
    );
  }));

test('a trace goes through bindings between exchanges, and is one for all queues that a message reaches', () =>
  session(async ({ channel, queue, traces }) => {
    const [source, through, other] = [freshName('source'), freshName('through'), freshName('other')];
    await channel.assertExchange(through, 'fanout', { autoDelete: true });
    await channel.assertExchange(source, 'topic', { autoDelete: true });
    await channel.assertQueue(other, { expires: 60_000 });
    await channel.bindExchange(through, source, 'orders.#');
    await channel.bindQueue(queue, through, '');
    await channel.bindQueue(other, through, '');
    channel.publish(source, 'orders.created', Buffer.from('x'));
    const [first, second] = [await consumed(channel, queue), await consumed(channel, other)];
    await eventually('both', () => first() + second() === 2);
    const text = traces().replaceAll(source, 'source').replaceAll(other, 'other');
    // Whichever of the two comes first.
    expect(
      text
        .replace(/^[├└]─ /gm, '- ')
        .split('\n')
        .sort(),
    ).toEqual([
      '- consume source:orders.created:other CONSUMER  → publish source:orders.created',
      '- consume source:orders.created:queue CONSUMER  → publish source:orders.created',
      'publish source:orders.created PRODUCER',
    ]);
  }));

test('a trace goes through an alternate exchange', () =>
  session(async ({ channel, queue, traces }) => {
    const [first, second] = [freshName('first'), freshName('second')];
    await channel.assertExchange(second, 'fanout', { autoDelete: true });
    await channel.assertExchange(first, 'direct', { alternateExchange: second });
    await channel.bindQueue(queue, second, '');
    channel.publish(first, 'nobody', Buffer.from('x'));
    const seen = await consumed(channel, queue);
    await eventually('the message', () => seen() === 1);
    await channel.deleteExchange(first);
    expect(traces().replaceAll(first, 'first')).toBe(
      ['publish first:nobody PRODUCER', '└─ consume first:nobody:queue CONSUMER  → publish first:nobody'].join('\n'),
    );
  }));

describe.each(['classic', 'quorum'])('a %s queue', (type) => {
  test('keeps the context, through a return too', () =>
    session(async ({ confirms: channel, traces }) => {
      const queue = freshName(type);
      await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': type } });
      try {
        channel.sendToQueue(queue, Buffer.from('x'));
        await channel.waitForConfirms();
        let seen = 0;
        await channel.consume(queue, (message) => {
          if (message === null) return;
          if (++seen === 1) channel.nack(message);
          else channel.ack(message);
        });
        await eventually('both deliveries', () => seen === 2);
        const text = traces(['messaging.message.retry.count', 'messaging.message.settlement']);
        expect(text.replaceAll(queue, 'q')).toBe(
          [
            'publish q PRODUCER',
            '├─ consume q CONSUMER {messaging.message.settlement=requeue}  → publish q',
            '└─ consume q CONSUMER {messaging.message.retry.count=1} {messaging.message.settlement=ack}  → publish q',
          ].join('\n'),
        );
      } finally {
        await channel.deleteQueue(queue);
      }
    }));
});

test('a stream is read again and again: each reading is in the trace of the publish, and no retry', () =>
  session(async ({ connection, confirms, traces, tracing }) => {
    const stream = freshName('stream');
    await confirms.assertQueue(stream, { durable: true, arguments: { 'x-queue-type': 'stream' } });
    try {
      for (const body of ['one', 'two']) confirms.sendToQueue(stream, Buffer.from(body));
      await confirms.waitForConfirms();
      for (const offset of ['first', 1]) {
        const channel = await connection.createChannel();
        await channel.prefetch(10);
        const seen = await consumed(channel, stream, { arguments: { 'x-stream-offset': offset } });
        await eventually('the messages', () => seen() === (offset === 'first' ? 2 : 1));
        await channel.close();
      }
      expect(traces(['messaging.message.retry.count']).replaceAll(stream, 'stream')).toBe(
        [
          'publish stream PRODUCER',
          '└─ consume stream CONSUMER  → publish stream',
          'publish stream PRODUCER',
          '├─ consume stream CONSUMER  → publish stream',
          '└─ consume stream CONSUMER  → publish stream',
        ].join('\n'),
      );
      expect(tracing.openSpans).toBe(0);
    } finally {
      await confirms.deleteQueue(stream);
    }
  }));

test('contexts are text on the wire (type S), besides the headers of others', () =>
  session(async ({ tracing, queue }) => {
    const connection = await amqplib.connect(brokerUrl());
    const { stream } = (connection as unknown as { connection: { stream: { write(data: Buffer): boolean } } })
      .connection;
    const written: Buffer[] = [];
    const { write } = stream;
    stream.write = function keep(...args: [Buffer]) {
      written.push(args[0]);
      return write.apply(this, args);
    };
    const channel = await connection.createConfirmChannel();
    await tracing.inSpan('app', () => {
      channel.sendToQueue(queue, Buffer.from('x'), { headers: { newrelic: 'e30=', 'X-Instana-T': '1', n: 5 } });
    });
    await channel.waitForConfirms();
    await connection.close();
    const wire = Buffer.concat(written).toString('latin1');
    const { traceId, spanId } =
      tracing
        .spans()
        .find(({ name }) => name.startsWith('publish'))
        ?.spanContext() ?? {};
    expect(wire).toContain(`\x0btraceparentS\0\0\0\x3700-${traceId}-${spanId}-01`);
    expect(wire).toContain('\x08newrelicS\0\0\0\x04e30=');
    expect(wire).toContain('\x0bX-Instana-TS\0\0\0\x011');
    expect(wire).toContain('\x01nb\x05');
  }));
