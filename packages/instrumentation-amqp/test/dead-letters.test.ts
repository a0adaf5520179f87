/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { eventually } from '@otel-messaging/test-utils';
import type { GetMessage } from 'amqplib';
import { freshName } from './broker';
import { session } from './session';

const HISTORY = [
  'messaging.message.retry.count',
  'messaging.message.settlement',
  'messaging.dead_letter.source',
  'messaging.dead_letter.reason',
];

test('work, retry queue, work, dead: one trace with every attempt, and where and why the message died', () =>
  session(async ({ channel, queue: work, publish, tracing, traces }) => {
    const [retry, dead, exchange] = [freshName('retry'), freshName('dead'), freshName('failed')];
    await channel.deleteQueue(work);
    await channel.assertExchange(exchange, 'direct', { autoDelete: true });
    await channel.assertQueue(work, {
      expires: 60_000,
      deadLetterExchange: exchange,
      deadLetterRoutingKey: 'retry',
    });
    await channel.assertQueue(retry, {
      expires: 60_000,
      messageTtl: 50,
      deadLetterExchange: '',
      deadLetterRoutingKey: work,
    });
    await channel.assertQueue(dead, { expires: 60_000 });
    await channel.bindQueue(retry, exchange, 'retry');
    await channel.bindQueue(dead, exchange, 'dead');

    await publish('one');
    let attempts = 0;
    await channel.consume(work, async (message) => {
      if (message === null) return;
      if (++attempts < 3) return channel.nack(message, false, false);
      // The application gives up, as is usual: it passes the message on itself.
      channel.publish(exchange, 'dead', message.content, message.properties);
      channel.ack(message);
    });
    let isDead = false;
    await channel.consume(dead, async (message) => {
      if (message) channel.ack(message);
      isDead = true;
    });
    await eventually('the end of the message', () => isDead);
    await new Promise(setImmediate);
    const text = traces(HISTORY).replaceAll(dead, 'dead').replaceAll(retry, 'retry').replaceAll(exchange, 'failed');
    expect(text).toBe(
      [
        'publish queue PRODUCER',
        '├─ consume queue CONSUMER {messaging.message.settlement=nack}  → publish queue',
        '├─ consume queue CONSUMER {messaging.message.retry.count=1} {messaging.message.settlement=nack}  → publish queue',
        '└─ consume queue CONSUMER {messaging.message.retry.count=2} {messaging.message.settlement=ack}  → publish queue',
        '   └─ publish failed:dead PRODUCER',
        '      └─ consume failed:dead:dead CONSUMER {messaging.message.retry.count=2} {messaging.message.settlement=ack}' +
          ' {messaging.dead_letter.source=queue} {messaging.dead_letter.reason=rejected}  → publish failed:dead',
      ].join('\n'),
    );
    expect(tracing.openSpans).toBe(0);
  }));

test('rejected into a dead-letter queue: the handler there is in the trace of the publish', () =>
  session(async ({ channel, queue: work, publish, traces }) => {
    const dead = freshName('dead');
    await channel.deleteQueue(work);
    await channel.assertQueue(work, { expires: 60_000, deadLetterExchange: '', deadLetterRoutingKey: dead });
    await channel.assertQueue(dead, { expires: 60_000 });
    await publish('one');
    await channel.consume(work, (message) => message && channel.reject(message, false));
    let isDead = false;
    await channel.consume(dead, (message) => {
      if (message) channel.ack(message);
      isDead = true;
    });
    await eventually('the end of the message', () => isDead);
    expect(traces(HISTORY).replaceAll(dead, 'dead')).toBe(
      [
        'publish queue PRODUCER',
        '├─ consume queue CONSUMER {messaging.message.settlement=reject}  → publish queue',
        '└─ consume dead CONSUMER {messaging.message.retry.count=1} {messaging.message.settlement=ack}' +
          ' {messaging.dead_letter.source=queue} {messaging.dead_letter.reason=rejected}  → publish queue',
      ].join('\n'),
    );
  }));

test('a quorum queue with a delivery limit: each return counts; the broker tells of one at the end', () =>
  session(async ({ channel, queue: work, publish, tracing }) => {
    const dead = freshName('dead');
    await channel.deleteQueue(work);
    await channel.assertQueue(dead, { expires: 60_000 });
    await channel.assertQueue(work, {
      durable: true,
      deadLetterExchange: '',
      deadLetterRoutingKey: dead,
      arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 2 },
    });
    try {
      await publish('one');
      await channel.consume(work, (message) => message && channel.nack(message));
      let isDead = false;
      await channel.consume(dead, (message) => {
        if (message) channel.ack(message);
        isDead = true;
      });
      await eventually('the end of the message', () => isDead);
      const consumed = tracing.spans().filter(({ name }) => name.startsWith('consume'));
      const shown = consumed.map(({ attributes }) => HISTORY.map((key) => attributes[key]));
      expect(shown).toEqual([
        [undefined, 'requeue', undefined, undefined],
        [1, 'requeue', undefined, undefined],
        [2, 'requeue', undefined, undefined],
        [1, 'ack', work, 'delivery_limit'],
      ]);
    } finally {
      await channel.deleteQueue(work);
    }
  }));

test('expired and never delivered: pulled from the dead-letter queue it tells where and why, and of no attempt', () =>
  session(async ({ channel, confirms, traces }) => {
    const [work, dead] = [freshName('work'), freshName('dead')];
    await channel.assertQueue(work, { expires: 60_000, deadLetterExchange: '', deadLetterRoutingKey: dead });
    await channel.assertQueue(dead, { expires: 60_000 });
    confirms.sendToQueue(work, Buffer.from('one'), { expiration: 20 });
    await confirms.waitForConfirms();
    let message: GetMessage | false = false;
    await eventually('the dead letter', async () => {
      message = await channel.get(dead, { noAck: true });
      return message !== false;
    });
    expect(traces(HISTORY).replaceAll(dead, 'dead').replaceAll(work, 'work')).toBe(
      [
        'publish work PRODUCER',
        'get dead CLIENT {messaging.dead_letter.source=work} {messaging.dead_letter.reason=expired}  → publish work',
      ].join('\n'),
    );
  }));

test('too many for their queue: the oldest dies of it', () =>
  session(async ({ channel, confirms, tracing }) => {
    const [work, dead] = [freshName('work'), freshName('dead')];
    await channel.assertQueue(dead, { expires: 60_000 });
    await channel.assertQueue(work, {
      expires: 60_000,
      maxLength: 1,
      deadLetterExchange: '',
      deadLetterRoutingKey: dead,
    });
    for (const body of ['one', 'two']) confirms.sendToQueue(work, Buffer.from(body));
    await confirms.waitForConfirms();
    let seen: string | undefined;
    await channel.consume(dead, (message) => {
      seen = message?.content.toString();
    });
    await eventually('the dead letter', () => seen !== undefined);
    expect(seen).toBe('one');
    await channel.close();
    const attributes = tracing.spans().at(-1)?.attributes ?? {};
    expect(HISTORY.map((key) => attributes[key])).toEqual([undefined, undefined, work, 'maxlen']);
  }));

test.each<[string, Record<string, unknown>]>([
  ['tables within lists within tables', { 'x-death': [[{ queue: { queue: ['x'] } }], { queue: { a: 1 }, count: {} }] }],
  ['as many deaths as fit', { 'x-death': Array.from({ length: 1_400 }, () => ({ queue: 'q', count: 2 ** 40 })) }],
  ['counts of the wrong type', { 'x-delivery-count': 'many', 'x-first-death-queue': 5, 'x-death': [{ count: 'x' }] }],
  ['names that hide others', JSON.parse('{"__proto__": {"x-death": []}, "constructor": 1, "x-death": {"length": 9}}')],
])('a stranger sends histories of his own: %s; the handler gets them, and its span is as ever', (_, headers) =>
  session(async ({ channel, queue, publish, tracing }) => {
    await publish('one', { headers });
    let seen: Record<string, unknown> | undefined;
    await channel.consume(queue, (message) => {
      seen = message?.properties.headers;
      if (message) channel.ack(message);
    });
    await eventually('the message', () => seen !== undefined);
    expect(seen?.['x-death']).toEqual(headers['x-death']);
    const span = tracing.spans().at(-1);
    expect([span?.name, span?.attributes['messaging.message.settlement']]).toEqual([`consume ${queue}`, 'ack']);
  }),
);
