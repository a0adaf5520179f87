/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { randomUUID } from 'node:crypto';
import { eventually, type Tracing, traceText } from '@otel-messaging/test-utils';
import { CompressionTypes, type Consumer, type ConsumerRunConfig, type EachMessagePayload } from 'kafkajs';
import { Deliveries } from './deliveries';
import { forEachTest, PaymentFailed } from './kafka';

// Three partitions, several members, and what comes between.

let tracing: Tracing;
let deliveries: Deliveries;
let topic: string;
let groupId: string;
const { cluster } = forEachTest((own) => {
  ({ tracing, topic } = own);
  groupId = `group-${randomUUID()}`;
  deliveries = new Deliveries(tracing);
}, 3);

const tick = () => new Promise((resolve) => setImmediate(resolve));
const PARTITIONS = [0, 1, 2];

/** Sends this many messages to each partition, with values like `2.17` for the one at offset 17 of partition 2. */
async function send(each: number, compression?: CompressionTypes, first = 0): Promise<void> {
  const producer = await cluster.producer();
  const messages = PARTITIONS.flatMap((partition) =>
    Array.from({ length: each }, (_, i) => ({ partition, value: `${partition}.${first + i}` })),
  );
  await producer.send({ topic, messages, compression });
}

/** A member of the group that notices others soon. */
async function member(config: ConsumerRunConfig): Promise<Consumer> {
  const consumer = await cluster.consumer([topic], groupId, { heartbeatInterval: 50, maxBytesPerPartition: 100_000 });
  await consumer.run(config);
  return consumer;
}

/** As a handler of messages, or of batches that are walked. */
const manners: Record<string, (handle: (payload: Taken) => Promise<void>) => ConsumerRunConfig> = {
  eachMessage: (handle) => ({ eachMessage: handle }),
  eachBatch: (handle) => ({
    eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
      deliveries.noteBatch(batch.messages);
      for (const message of batch.messages) {
        await handle({ partition: batch.partition, message });
        resolveOffset(message.offset);
        await heartbeat();
      }
    },
  }),
};
type Taken = Pick<EachMessagePayload, 'partition' | 'message'>;

test.each(Object.entries(manners))('%s: partitions that are handled at the same time', async (_, configOf) => {
  await send(4);
  let atOnce = 0;
  let most = 0;
  const handle = async ({ partition, message }: Taken) => {
    atOnce++;
    most = Math.max(most, atOnce);
    // All wait for each other once, so that the handlers of three partitions are sure to overlap.
    if (most < 3) await eventually('the others', () => most === 3);
    await tick();
    await tracing.inSpan(`work ${message.value}`, tick);
    deliveries.note(partition, message);
    atOnce--;
  };
  const consumer = await member({ ...configOf(handle), partitionsConsumedConcurrently: 3 });
  await eventually('all messages', () => deliveries.count === 12);
  await consumer.disconnect();
  expect(await deliveries.problems()).toEqual([]);
  const byId = new Map(tracing.spans().map((span) => [span.spanContext().spanId, span]));
  for (const work of tracing.spans().filter(({ name }) => name.startsWith('work'))) {
    const handled = byId.get(work.parentSpanContext?.spanId ?? '')?.attributes;
    expect(`work ${handled?.['messaging.destination.partition.id']}.${handled?.['kafka.offset']}`).toBe(work.name);
  }
});

test.each(Object.entries(manners))('M2: %s: a delivery again is counted again, once', async (_, configOf) => {
  await send(2);
  const failed = new Set<string>();
  const handle = async ({ partition, message }: Taken) => {
    deliveries.note(partition, message);
    await tick();
    const value = String(message.value);
    if (failed.has(value)) return;
    failed.add(value);
    throw new PaymentFailed();
  };
  const consumer = await member(configOf(handle));
  await eventually('each message twice', () => deliveries.count >= 12 && failed.size === 6);
  await consumer.disconnect();
  expect(await deliveries.problems()).toEqual([]);
  expect(deliveries.values.size).toBe(6);
});

test.each(Object.entries(manners))('%s: a rebalance in the middle of a batch', async (_, configOf) => {
  await send(10);
  const perMember = [0, 0];
  let isJoined = false;
  const handlerOf = (index: number) => async (taken: Taken) => {
    deliveries.note(taken.partition, taken.message);
    perMember[index] = (perMember[index] ?? 0) + 1;
    // The first member is in the middle of its batch when the second one comes.
    if (index === 0 && perMember[0] === 2) await eventually('the second member', () => isJoined);
    await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const first = await member(configOf(handlerOf(0)));
  await eventually('the first member', () => perMember[0] === 2);
  const joining = member(configOf(handlerOf(1)));
  await eventually('the group to see the second member', async () => {
    const { members, state } = await first.describeGroup();
    return members.length === 2 || state === 'PreparingRebalance';
  });
  isJoined = true;
  const second = await joining;
  await eventually('all messages', () => deliveries.values.size === 30);
  await send(2, CompressionTypes.None, 10);
  await eventually('messages for both members', () => (perMember[1] ?? 0) > 0 && deliveries.values.size === 36);
  await Promise.all([first.disconnect(), second.disconnect()]);
  expect(await deliveries.problems()).toEqual([]);
});

test('paused and resumed: nothing is recorded of what is not handled', async () => {
  await send(3);
  const consumer = await member({
    eachMessage: async ({ partition, message, pause }) => {
      deliveries.note(partition, message);
      if (deliveries.count === 2) pause();
    },
  });
  await eventually('the others', () => deliveries.count >= 8 - consumer.paused().length);
  consumer.resume(consumer.paused().map(({ topic: paused, partitions }) => ({ topic: paused, partitions })));
  await eventually('all', () => deliveries.count === 9);
  await consumer.disconnect();
  expect(await deliveries.problems()).toEqual([]);
});

test('compressed batches carry each message its context', async () => {
  await send(2, CompressionTypes.GZIP);
  const consumer = await member({
    eachMessage: async ({ partition, message }) => deliveries.note(partition, message),
  });
  await eventually('all', () => deliveries.count === 6);
  await consumer.disconnect();
  expect(await deliveries.problems()).toEqual([]);
});

test('null keys, tombstones and empty values', async () => {
  const producer = await cluster.producer();
  const messages = [
    { partition: 0, key: null, value: 'a' },
    { partition: 0, key: 'k', value: null },
    { partition: 0, key: '', value: '' },
  ];
  for (const message of messages) await producer.send({ topic, messages: [message] });
  const consumer = await member({
    eachMessage: async ({ partition, message }) => deliveries.note(partition, message),
  });
  await eventually('all', () => deliveries.count === 3);
  await consumer.disconnect();
  const attributes = ['kafka.message.tombstone', 'kafka.offset'];
  const rename = (name: string) => name.replaceAll(topic, 'orders');
  expect(traceText(tracing.spans(), { attributes, rename })).toBe(
    [
      'send orders PRODUCER {kafka.offset=0}',
      '└─ process orders CONSUMER {kafka.offset=0}  → send orders',
      'send orders PRODUCER {kafka.message.tombstone=true} {kafka.offset=1}',
      '└─ process orders CONSUMER {kafka.message.tombstone=true} {kafka.offset=1}  → send orders',
      'send orders PRODUCER {kafka.offset=2}',
      '└─ process orders CONSUMER {kafka.offset=2}  → send orders',
    ].join('\n'),
  );
});
