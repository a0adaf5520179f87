/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { ConsumeMessage, GetMessage } from 'amqplib';
import { instrumentation } from './amqplib';
import { consuming, session } from './session';

const COUNT = ['messaging.batch.message_count', 'rabbitmq.message.delivery_tag'];

test('acknowledgements have no spans by default', () =>
  session(async ({ channel, queue, publish, tracing }) => {
    await publish('one');
    await consuming<void>(channel, queue, (message, done) => {
      channel.ack(message);
      done();
    });
    expect(tracing.spans().map(({ name }) => name)).toEqual([`publish ${queue}`, `consume ${queue}`]);
  }));

test('with settleSpans each has one, below the handler, which links to the publish', () =>
  session(async ({ channel, queue, publish, traces }) => {
    instrumentation.setConfig({ settleSpans: true });
    await publish('one');
    await publish('two');
    let seen = 0;
    await consuming<void>(channel, queue, (message, done) => {
      if (++seen === 1) channel.ack(message);
      else channel.nack({ fields: { deliveryTag: message.fields.deliveryTag } } as ConsumeMessage, false, false);
      if (seen === 2) done();
    });
    expect(traces(COUNT)).toBe(
      [
        'publish queue PRODUCER',
        '└─ consume queue CONSUMER {rabbitmq.message.delivery_tag=1}  → publish queue',
        '   └─ ack queue CLIENT {rabbitmq.message.delivery_tag=1}  → publish queue',
        'publish queue PRODUCER',
        '└─ consume queue CONSUMER {rabbitmq.message.delivery_tag=2}  → publish queue',
        '   └─ nack queue CLIENT {rabbitmq.message.delivery_tag=2}  → publish queue',
      ].join('\n'),
    );
  }));

test('one for several says how many, as far as that is known', () =>
  session(async ({ channel, queue, publish, tracing }) => {
    instrumentation.setConfig({ settleSpans: true });
    for (const body of ['one', 'two', 'three', 'four']) await publish(body);
    const messages: ConsumeMessage[] = [];
    await consuming<void>(channel, queue, (message, done) => {
      if (messages.push(message) === 4) done();
    });
    channel.ack(messages[1] as ConsumeMessage, true);
    channel.nackAll(false);
    const settles = tracing.spans().filter(({ attributes }) => attributes['messaging.operation.type'] === 'settle');
    expect(settles.map(({ name, links, attributes }) => [name, links.length, attributes[COUNT[0] as string]])).toEqual([
      [`ack ${queue}`, 2, 2],
      [`nack ${queue}`, 2, 2],
    ]);
  }));

test('the settlement of a pulled message links to its publish, also by tag alone', () =>
  session(async ({ channel, queue, publish, traces }) => {
    instrumentation.setConfig({ settleSpans: true });
    await publish('one');
    const message = (await channel.get(queue)) as GetMessage;
    channel.reject({ fields: { deliveryTag: message.fields.deliveryTag } } as GetMessage, false);
    expect(traces()).toBe(
      ['publish queue PRODUCER', '└─ reject queue CLIENT  → publish queue', 'get queue CLIENT  → publish queue'].join(
        '\n',
      ),
    );
  }));

test('the settlement of an untrusted message is linked to its publish, and no part of its trace', () =>
  session(async ({ channel, queue, publish, traces }) => {
    instrumentation.setConfig({ settleSpans: true, trustIncoming: false });
    await publish('one');
    await publish('two');
    channel.ack((await channel.get(queue)) as GetMessage);
    channel.ack((await channel.get(queue)) as GetMessage, true);
    expect(traces()).toBe(
      [
        'publish queue PRODUCER',
        'publish queue PRODUCER',
        'get queue CLIENT  → publish queue',
        'ack queue CLIENT  → publish queue',
        'get queue CLIENT  → publish queue',
        'ack queue CLIENT  → publish queue',
      ].join('\n'),
    );
  }));

test('one that amqplib refuses is an error, and settles nothing', () =>
  session(async ({ connection, queue, publish, tracing }) => {
    instrumentation.setConfig({ settleSpans: true });
    await publish('one');
    const channel = await connection.createChannel();
    const message = await consuming<ConsumeMessage>(channel, queue, (received, done) => done(received));
    await channel.close();
    expect(() => channel.ack(message)).toThrow('Channel closed');
    const settles = tracing.spans().filter(({ attributes }) => attributes['messaging.operation.type'] === 'settle');
    expect(settles.map(({ attributes }) => attributes['error.type'])).toEqual(['IllegalOperationError']);
    expect(tracing.openSpans).toBe(0);
  }));
