/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context, trace } from '@opentelemetry/api';
import { eventually } from '@otel-messaging/test-utils';
import type { Channel } from 'amqplib';
import { amqplib, instrumentation } from './amqplib';
import { brokerUrl, freshName } from './broker';
import { session, ticks } from './session';

test('a confirmed publish ends with the confirm, with and without a callback', () =>
  session(async ({ tracing, confirms, queue }) => {
    let called = false;
    confirms.publish('', queue, Buffer.from('one'), {}, () => {
      called = true;
    });
    confirms.sendToQueue(queue, Buffer.from('two'));
    expect([called, tracing.openSpans]).toEqual([false, 2]);
    await confirms.waitForConfirms();
    expect([called, tracing.openSpans]).toEqual([true, 0]);
    expect(tracing.spans().map(({ name }) => name)).toEqual([`publish ${queue}`, `publish ${queue}`]);
  }));

test('a plain channel of the same connection ends at once', () =>
  session(async ({ tracing, channel, queue }) => {
    channel.sendToQueue(queue, Buffer.from('one'));
    expect(tracing.openSpans).toBe(0);
  }));

test('a refused publish is an error of type nack, for the application too', () =>
  session(async ({ tracing, confirms, traces }) => {
    const full = freshName('full');
    await confirms.assertQueue(full, {
      expires: 60_000,
      maxLength: 1,
      arguments: { 'x-overflow': 'reject-publish' },
    });
    const errors: unknown[] = [];
    for (const body of ['one', 'two']) {
      confirms.sendToQueue(full, Buffer.from(body), {}, (error) => errors.push(error?.message ?? null));
      await confirms.waitForConfirms().catch(() => {});
    }
    expect(errors).toEqual([null, 'message nacked']);
    expect(traces().replaceAll(full, 'full')).toBe('publish full PRODUCER\npublish full PRODUCER !nack');
    const sent = (await tracing.metrics()).find(
      ({ descriptor }) => descriptor.name === 'messaging.client.sent.messages',
    );
    const points = sent?.dataPoints.map(({ attributes, value }) => [attributes['error.type'], value]);
    expect(points).toEqual([
      [undefined, 1],
      ['nack', 1],
    ]);
  }));

test('a channel that closes before the confirm ends the span, which says so', () =>
  session(async ({ tracing, confirms, queue }) => {
    const errors: unknown[] = [];
    confirms.sendToQueue(queue, Buffer.from('one'), {}, (error) => errors.push(error?.message));
    confirms.sendToQueue(queue, Buffer.from('two'));
    (confirms as unknown as { toClosed(stack: string): void }).toClosed('Stack capture: ChannelCloseOk frame received');
    expect(errors).toEqual(['channel closed']);
    expect(tracing.openSpans).toBe(0);
    expect(tracing.spans().map(({ status, attributes }) => [status.message, attributes['error.type']])).toEqual([
      ['the channel was closed before the broker confirmed the message', 'UnconfirmedError'],
      ['the channel was closed before the broker confirmed the message', 'UnconfirmedError'],
    ]);
  }));

test('a channel that the broker closes ends it with the reason', () =>
  session(async ({ tracing, connection }) => {
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => {});
    const closed = new Promise((resolve) => channel.once('close', resolve));
    channel.publish(freshName('no-such-exchange'), 'key', Buffer.from('one'));
    await closed;
    expect([tracing.openSpans, tracing.spans()[0]?.attributes['error.type']]).toEqual([0, 'not-found']);
  }));

test('a lost connection ends it too', () =>
  session(async ({ tracing }) => {
    const connection = await amqplib.connect(brokerUrl());
    connection.on('error', () => {});
    const channel = await connection.createConfirmChannel();
    const closed = new Promise((resolve) => channel.once('close', resolve));
    channel.sendToQueue('nowhere', Buffer.from('one'));
    const { stream } = (connection as unknown as { connection: { stream: NodeJS.EventEmitter } }).connection;
    stream.emit('error', Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
    await closed;
    expect([tracing.openSpans, tracing.spans()[0]?.attributes['error.type']]).toEqual([0, 'ChannelClosedError']);
  }));

describe('waitForConfirms() and the slots of unconfirmed messages are as without us (D9)', () => {
  const slots = (channel: Channel) => (channel as unknown as { unconfirmed: unknown[] }).unconfirmed;

  async function closedWithUnconfirmed(callback?: () => void) {
    const connection = await amqplib.connect(brokerUrl());
    connection.on('error', () => {}); // of a confirm for a channel that is gone
    const channel = await connection.createConfirmChannel();
    channel.publish('', 'nowhere', Buffer.from('one'), {}, callback as never);
    const before = slots(channel).map((slot) => typeof slot);
    (channel as unknown as { toClosed(stack: string): void }).toClosed('Stack capture: Socket error');
    const outcome = await channel.waitForConfirms().then(
      () => 'resolved',
      (error: Error) => `rejected: ${error.message}`,
    );
    await connection.close().catch(() => {});
    return { before, outcome };
  }

  test.each([
    ['without a callback', undefined, ['boolean']],
    ['with a callback', () => {}, ['function']],
  ])('%s', (_, callback, before) =>
    session(async () => {
      const traced = await closedWithUnconfirmed(callback);
      instrumentation.disable();
      expect(traced).toEqual(await closedWithUnconfirmed(callback));
      expect(traced).toEqual({ before, outcome: 'rejected: channel closed' });
    }),
  );
});

test('the callback runs in the context of its publish', () =>
  session(async ({ tracing, confirms, queue }) => {
    const seen = await tracing.inSpan(
      'app',
      () =>
        new Promise((resolve) => {
          confirms.publish('', queue, Buffer.from('one'), {}, () => resolve(trace.getActiveSpan()));
        }),
    );
    expect((seen as { name: string }).name).toBe('app');
    expect(trace.getSpan(context.active())).toBeUndefined();
  }));

test('what runs in a callback that throws is what would run without us', () =>
  session(async ({ tracing, confirms, queue }) => {
    const order: string[] = [];
    confirms.publish('', queue, Buffer.from('one'), {}, () => {
      order.push('first');
    });
    confirms.publish('', queue, Buffer.from('two'), {}, () => {
      order.push('second');
    });
    await confirms.waitForConfirms();
    expect(order).toEqual(['first', 'second']);
    expect(tracing.openSpans).toBe(0);
  }));

test('many messages, confirmed several at a time, leave nothing open', () =>
  session(async ({ tracing, confirms, queue }) => {
    for (let i = 0; i < 500; i++) confirms.sendToQueue(queue, Buffer.from(String(i)));
    await confirms.waitForConfirms();
    expect([tracing.openSpans, tracing.spans().length]).toEqual([0, 500]);
  }));

test('a publish that throws does not shift the confirms of those after it', () =>
  session(async ({ tracing, confirms, queue }) => {
    expect(() => confirms.sendToQueue(queue, 'text' as never)).toThrow('content is not a buffer');
    confirms.sendToQueue(queue, Buffer.from('one'));
    await confirms.waitForConfirms();
    expect(tracing.openSpans).toBe(0);
  }));

test('disabling ends what is not confirmed, and a channel made while disabled is not waited for', () =>
  session(async ({ tracing, connection, confirms, queue }) => {
    confirms.sendToQueue(queue, Buffer.from('one'));
    instrumentation.disable();
    expect(tracing.openSpans).toBe(0);
    const unseen = await connection.createConfirmChannel();
    instrumentation.enable();
    unseen.sendToQueue(queue, Buffer.from('two'));
    expect(tracing.openSpans).toBe(0);
    await Promise.all([confirms.waitForConfirms(), unseen.waitForConfirms()]);
    confirms.sendToQueue(queue, Buffer.from('three'));
    await eventually('the confirm on a channel that was there before', () => tracing.openSpans === 0);
    await ticks();
    expect(tracing.spans()).toHaveLength(3);
  }));
