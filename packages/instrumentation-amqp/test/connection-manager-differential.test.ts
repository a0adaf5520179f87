/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  type CallOutcome,
  outcomeOf,
  Random,
  shown,
  startTracing,
  type Tracing,
  varied,
} from '@otel-messaging/test-utils';
import type { AmqpConnectionManager } from 'amqp-connection-manager';
import type { Channel } from 'amqplib';
import { amqplib, connectionManager, instrumentation } from './amqplib';
import { brokerUrl, freshName } from './broker';
import { content, options, textOf } from './odd-publishes';

/** Valid, odd and malformed publishes through the wrapper, the same with and without instrumentation, must not differ. */
const CASES = 60;

interface Seen {
  readonly call: CallOutcome | undefined;
  readonly args: string;
  readonly events: readonly string[];
}

let tracing: Tracing;

beforeAll(() => {
  tracing = startTracing([instrumentation]);
});

afterAll(async () => {
  instrumentation.enable();
  await tracing.stop();
});

test.each([true, false])('a wrapper behaves the same with any arguments (confirms: %s)', async (confirm) => {
  instrumentation.disable();
  const without = await results(confirm);
  instrumentation.enable();
  const withUs = await results(confirm);
  expect(withUs).toEqual(without);
  expect(without.delivered.length).toBeGreaterThan(CASES / 3);
  expect(tracing.openSpans).toBe(0);
});

/** What became of every case, and the messages that arrived. */
async function results(confirm: boolean): Promise<{ seen: readonly unknown[]; delivered: readonly unknown[] }> {
  const queue = freshName('differential');
  const anonymous = (value: unknown) => JSON.parse(JSON.stringify(value).replaceAll(queue, 'the queue')) as unknown;
  const reader = await amqplib.connect(brokerUrl(), { noDelay: true });
  const drain = await reader.createChannel();
  await drain.assertQueue(queue, { expires: 60_000 });
  const manager = connectionManager.connect([brokerUrl()], {
    reconnectTimeInSeconds: 0.02,
    connectionOptions: { noDelay: true },
  });
  const seen: unknown[] = [];
  const delivered: unknown[] = [];
  for (let seed = 0; seed < CASES; seed++) {
    seen.push(anonymous({ seed, ...(await result(manager, confirm, new Random(seed), queue)) }));
    for (
      let message = await drain.get(queue, { noAck: true });
      message;
      message = await drain.get(queue, { noAck: true })
    )
      delivered.push(anonymous({ seed, ...textOf(message) }));
  }
  await manager.close();
  await reader.close();
  return { seen, delivered };
}

/** One publish on a channel of its own, until it is answered; what the wrapper leaves unanswered is, when it is closed. */
async function result(manager: AmqpConnectionManager, confirm: boolean, random: Random, queue: string): Promise<Seen> {
  let channel: Channel | undefined;
  const wrapper = manager.createChannel({
    confirm,
    json: random.isOneIn(4),
    setup: async (created: Channel) => {
      channel = created;
    },
  });
  const events: string[] = [];
  const failed = new Promise<void>((resolve) => {
    wrapper.on('error', ({ message }) => {
      events.push(`error ${message}`);
      resolve();
    });
  });
  await wrapper.waitForConnect();
  channel?.on('error', ({ message }) => events.push(`closed ${message}`));
  const closed = new Promise((resolve) => channel?.on('close', resolve));
  const method = random.pick(['publish', 'sendToQueue'] as const);
  const to = method === 'publish' ? [random.isOneIn(15) ? 'no such exchange' : '', queue] : [queue];
  const args = [...to, content(random), options(random)].map((argument) => varied(random, argument, 60));
  const call = outcomeOf(() => (wrapper[method] as (...each: unknown[]) => unknown)(...args));
  await Promise.race([call, failed, closed]);
  if (!confirm) await Promise.race([channel?.checkExchange('amq.direct').catch(() => {}), closed]);
  // amqplib forgets who waits for the answer to a close where the connection is lost instead.
  await Promise.race([wrapper.close().catch(() => {}), closed]);
  // What amqplib refuses on a channel without confirms is never answered.
  const unanswered = new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined)));
  return { call: await Promise.race([call, unanswered]), args: shown(args), events };
}
