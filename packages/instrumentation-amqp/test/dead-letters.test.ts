/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { eventually } from '@otel-messaging/test-utils';
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
