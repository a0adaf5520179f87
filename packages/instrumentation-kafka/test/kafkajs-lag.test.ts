/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { randomUUID } from 'node:crypto';
import { eventually, type Tracing } from '@otel-messaging/test-utils';
import type { ConsumerRunConfig } from 'kafkajs';
import { forEachTest } from './kafka';

let tracing: Tracing;
let topic: string;
let groupId: string;
const { cluster } = forEachTest((own) => {
  ({ tracing, topic } = own);
  groupId = `group-${randomUUID()}`;
});

async function metric(name: string) {
  return (await tracing.metrics()).find(({ descriptor }) => descriptor.name === name);
}

/** Records that are yet to be handled, by partition. */
async function lags(): Promise<Record<string, unknown>> {
  const points = (await metric('kafka.consumer.records_lag'))?.dataPoints ?? [];
  return Object.fromEntries(
    points.map(({ attributes, value }) => [attributes['messaging.destination.partition.id'], value]),
  );
}

async function send(count: number, partition = 0): Promise<void> {
  const producer = await cluster.producer();
  await producer.send({ topic, messages: Array.from({ length: count }, (_, i) => ({ value: `${i}`, partition })) });
}

/** A handler that waits at its n-th message, and how to let it go on. */
function waitingAt(count: number) {
  let entered = 0;
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const handle = async () => {
    entered++;
    if (entered === count) await released;
  };
  return { handle, release, entered: () => entered };
}

const manners: Record<string, (handle: () => Promise<void>) => ConsumerRunConfig> = {
  eachMessage: (handle) => ({ eachMessage: handle }),
  eachBatch: (handle) => ({
    eachBatch: async ({ batch }) => {
      for (const _ of batch.messages) await handle();
    },
  }),
};

test.each(Object.entries(manners))('%s: all of a batch while it is handled, none when it is', async (_, configOf) => {
  await send(5);
  const consumer = await cluster.consumer([topic], groupId);
  const { handle, release, entered } = waitingAt(1);
  await consumer.run(configOf(handle));
  await eventually('the first message', () => entered() === 1);
  expect(await lags()).toEqual({ 0: 5 });
  release();
  await eventually('the end of the batch', async () => (await lags())['0'] === 0);
  expect(entered()).toBe(5);
  const gauge = await metric('kafka.consumer.records_lag');
  expect(gauge?.dataPoints[0]?.attributes).toEqual({
    'messaging.system.name': 'kafka',
    'messaging.destination.name': topic,
    'messaging.destination.partition.id': '0',
    'messaging.consumer.group.name': groupId,
    'server.address': '127.0.0.1',
    'server.port': expect.any(Number),
  });
  await consumer.disconnect();
});

test('a consumer that pauses in the middle of a batch says what it has left', async () => {
  await send(5);
  const consumer = await cluster.consumer([topic], groupId);
  let entered = 0;
  await consumer.run({
    eachMessage: async ({ pause }) => {
      entered++;
      if (entered === 2) pause();
    },
  });
  await eventually('the commit', async () => (await cluster.committed(groupId, topic))[0] === '2');
  await eventually('the lag', async () => (await lags())['0'] === 3);
  consumer.resume([{ topic }]);
  await eventually('the rest', async () => entered === 5 && (await lags())['0'] === 0);
  await consumer.disconnect();
});

test('records that are sent meanwhile count from the next fetch on', async () => {
  await send(1);
  const consumer = await cluster.consumer([topic], groupId, { maxBytesPerPartition: 1 });
  const { handle, release, entered } = waitingAt(2);
  await consumer.run({ eachMessage: handle });
  await eventually('the first message', () => entered() === 1);
  await eventually('its end', async () => (await lags())['0'] === 0);
  await send(1);
  await eventually('the second message', () => entered() === 2);
  await send(3);
  expect(await lags()).toEqual({ 0: 1 });
  release();
  await eventually('all', async () => entered() === 5 && (await lags())['0'] === 0);
  await consumer.disconnect();
});

test('a partition that went to another member is left to that one', async () => {
  topic = await cluster.topic(2);
  await send(3, 0);
  await send(3, 1);
  const { handle, release, entered } = waitingAt(1);
  const first = await cluster.consumer([topic], groupId, { heartbeatInterval: 100 });
  await first.run({ eachMessage: handle, partitionsConsumedConcurrently: 2 });
  await eventually('both partitions', async () => Object.keys(await lags()).length === 2);
  release();
  await eventually('all', () => entered() === 6);
  await first.stop();
  expect(await lags()).toEqual({ 0: 0, 1: 0 });
  await send(2, 0);
  const second = await cluster.consumer([topic], groupId);
  const own = waitingAt(1);
  await second.run({ eachMessage: own.handle });
  await eventually('a message', () => own.entered() === 1);
  expect(await lags()).toEqual({ 0: 2, 1: 0 });
  own.release();
  await second.disconnect();
  expect(await lags()).toEqual({ 0: 0, 1: 0 });
});

test('seconds between send and handler, and the latency on the span', async () => {
  const producer = await cluster.producer();
  const anHourAgo = String(Date.now() - 3_600_000);
  const inAnHour = String(Date.now() + 3_600_000);
  await producer.send({ topic, messages: [{ value: '1', timestamp: anHourAgo }] });
  await producer.send({ topic, messages: [{ value: '2', timestamp: inAnHour }] });
  let entered = 0;
  const eachMessage = async () => {
    entered++;
  };
  await cluster.run([topic], { eachMessage }, () => entered === 2);
  const latencies = tracing
    .spans()
    .filter(({ name }) => name.startsWith('process'))
    .map(({ attributes }) => Number(attributes['messaging.message.receive.latency']));
  expect(latencies[0]).toBeGreaterThanOrEqual(3_600_000);
  expect(latencies[1]).toBe(0);
  const queued = (await metric('messaging.message.queue.duration'))?.dataPoints.map(({ value }) => value);
  expect(queued).toMatchObject([{ count: 2, min: 0 }]);
  expect((queued as unknown as [{ max: number }])[0].max).toBeGreaterThanOrEqual(3_600);
  expect((await metric('messaging.message.clock_skew'))?.dataPoints).toMatchObject([{ value: 1 }]);
});
