/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { B3Propagator } from '@opentelemetry/propagator-b3';
import { eventually } from '@otel-messaging/test-utils';
import { MandatorySends } from '../src/returns';
import { connectionManager, instrumentation } from './amqplib';
import { brokerUrl, freshName } from './broker';
import { type Session, session } from './session';

const MANDATORY = { mandatory: true };
const OTHER_CONTEXT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

async function returnedMessages({ tracing }: Session): Promise<number | undefined> {
  const metric = (await tracing.metrics()).find(
    ({ descriptor }) => descriptor.name === 'messaging.client.returned.messages',
  );
  return metric?.dataPoints.reduce((sum, { value }) => sum + (value as number), 0);
}

describe('on a confirm channel', () => {
  test('a returned message is an error of type no-route of the publish that sent it, and of no other', () =>
    session(async (s) => {
      const { confirms, queue, tracing } = s;
      const nowhere = freshName('nowhere');
      const returned: string[] = [];
      confirms.on('return', ({ content }) => returned.push(content.toString()));
      // The same exchange and key for those that come back and those without `mandatory`.
      for (let i = 0; i < 20; i++) {
        const to = i % 4 === 0 ? queue : nowhere;
        confirms.publish('', to, Buffer.from(`${i}`), { mandatory: i % 2 === 0, messageId: `${i}` });
      }
      await confirms.waitForConfirms();
      expect(returned).toEqual(['2', '6', '10', '14', '18']);
      const failed = tracing.spans().filter(({ attributes }) => attributes['error.type'] !== undefined);
      expect(failed.map(({ attributes }) => attributes['messaging.message.id'])).toEqual(returned);
      expect(failed[0]?.attributes['error.type']).toBe('no-route');
      expect(failed[0]?.status.message).toBe('the broker returned the message: NO_ROUTE');
      expect([tracing.spans().length, tracing.openSpans]).toEqual([20, 0]);
      expect(await returnedMessages(s)).toBe(5);
    }));

  test('the application hears of it as ever: event first, then a confirm without an error', () =>
    session(async ({ confirms }) => {
      const outcome = async () => {
        const order: unknown[] = [];
        const listener = ({ fields }: { fields: { replyText?: string } }) => order.push(fields.replyText);
        confirms.on('return', listener);
        confirms.publish('', freshName('nowhere'), Buffer.from('x'), MANDATORY, (error) => order.push(error));
        await confirms.waitForConfirms();
        confirms.off('return', listener);
        return order;
      };
      const traced = await outcome();
      instrumentation.disable();
      expect(traced).toEqual(await outcome());
      expect(traced).toEqual(['NO_ROUTE', null]);
      expect(confirms.listenerCount('return')).toBe(0);
    }));

  test.each([
    ["the application's own context", { headers: { traceparent: OTHER_CONTEXT } }],
    ['no context, since there is no room for one', { headers: { own: 'x'.repeat(65_532 - 9) } }],
    ['frozen options', Object.freeze({ ...MANDATORY })],
  ])('it is recognised with %s', (_, options) =>
    session(async ({ confirms, tracing }) => {
      for (let i = 0; i < 3; i++)
        confirms.publish('', 'nowhere-at-all', Buffer.from('x'), { ...options, ...MANDATORY });
      await confirms.waitForConfirms();
      expect(tracing.spans().map(({ attributes }) => attributes['error.type'])).toEqual(Array(3).fill('no-route'));
    }),
  );

  test('it is recognised by whatever the propagator writes', () =>
    session(
      async ({ confirms, tracing }) => {
        confirms.publish('', 'nowhere-at-all', Buffer.from('x'), MANDATORY);
        await confirms.waitForConfirms();
        expect(tracing.spans()[0]?.attributes['error.type']).toBe('no-route');
      },
      { propagator: new B3Propagator() },
    ));

  test('a message that has a route by an alternate exchange, or by one of its copies, does not come back', () =>
    session(async ({ confirms, queue, traces }) => {
      const [first, second] = [freshName('first'), freshName('second')];
      await confirms.assertExchange(second, 'fanout', { autoDelete: true });
      await confirms.assertExchange(first, 'direct', { autoDelete: true, alternateExchange: second });
      await confirms.bindQueue(queue, second, '');
      confirms.publish(first, 'key', Buffer.from('x'), MANDATORY);
      confirms.publish('', 'nowhere-at-all', Buffer.from('x'), { ...MANDATORY, CC: [queue] });
      await confirms.waitForConfirms();
      expect(traces().replaceAll(first, 'first')).toBe('publish first:key PRODUCER\npublish nowhere-at-all PRODUCER');
      await confirms.deleteExchange(first);
    }));
});

test('a message that amqp-connection-manager published, and the broker returned, is an error of its one span', () =>
  session(async (s) => {
    const { tracing } = s;
    const manager = connectionManager.connect([brokerUrl()]);
    const wrapper = manager.createChannel({});
    try {
      await wrapper.waitForConnect();
      // The wrapper says nothing of it: for the application both have succeeded, as without us.
      const results = ['nowhere-at-all', s.queue].map((to) => wrapper.sendToQueue(to, Buffer.from('x'), MANDATORY));
      expect(await Promise.all(results)).toEqual([true, true]);
    } finally {
      await manager.close();
    }
    expect(s.traces()).toBe('publish nowhere-at-all PRODUCER !no-route\npublish queue PRODUCER');
    expect([tracing.openSpans, await returnedMessages(s)]).toEqual([0, 1]);
  }));

test('on a plain channel the publish is over by then: the message is counted', () =>
  session(async (s) => {
    const { channel, tracing } = s;
    const returned = new Promise((resolve) => channel.once('return', resolve));
    channel.publish('amq.direct', 'nowhere', Buffer.from('x'), MANDATORY);
    await returned;
    expect(tracing.spans().map(({ attributes }) => attributes['error.type'])).toEqual([undefined]);
    await eventually('the count', async () => (await returnedMessages(s)) === 1);
    const metric = (await tracing.metrics()).find(
      ({ descriptor }) => descriptor.name === 'messaging.client.returned.messages',
    );
    expect(metric?.dataPoints[0]?.attributes).toMatchObject({
      'messaging.destination.name': 'amq.direct:nowhere',
      'error.type': 'no-route',
    });
  }));

test('while disabled, nothing is counted', () =>
  session(async (s) => {
    const returned = new Promise((resolve) => s.channel.once('return', resolve));
    instrumentation.disable();
    s.channel.publish('', 'nowhere-at-all', Buffer.from('x'), MANDATORY);
    await returned;
    expect(await returnedMessages(s)).toBeUndefined();
  }));

describe('sends that may come back', () => {
  test('are found by their mark, the oldest first, and forgotten with their answer', () => {
    const sends = new MandatorySends();
    for (const [tag, mark] of [
      [1, 'a'],
      [2, 'b'],
      [3, 'a'],
    ] as const)
      sends.add(tag, mark);
    expect([sends.oldest('a'), sends.oldest('b'), sends.oldest('c')]).toEqual([1, 2, undefined]);
    sends.forget(1);
    sends.forget(1);
    expect([sends.oldest('a'), sends.size]).toEqual([3, 2]);
    sends.forget(2);
    sends.forget(3);
    expect([sends.oldest('a'), sends.size]).toEqual([undefined, 0]);
  });
});
