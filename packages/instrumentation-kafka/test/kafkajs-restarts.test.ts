/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { randomUUID } from 'node:crypto';
import { eventually, type OwnBroker, startOwnBroker, startTracing, type Tracing } from '@otel-messaging/test-utils';
import type { Consumer, ConsumerConfig, Producer } from 'kafkajs';
import { Deliveries } from './deliveries';
import { instrumented, TestKafka } from './kafka';

// A broker that is stopped and killed under load: whatever the clients make of it, each call and each delivery is recorded
// once, and every span ends. `npm run test:restarts` does it more often.

const ROUNDS = Number(process.env['OTEL_MESSAGING_RESTARTS'] ?? 1);
const ROUND_TIMEOUT_MS = 60_000;
const PATIENT = { retry: { initialRetryTime: 100, retries: 12, maxRetryTime: 1_000 } };
const MEMBER: Partial<ConsumerConfig> = { ...PATIENT, sessionTimeout: 6_000, heartbeatInterval: 300 };

const instrumentation = instrumented();
let broker: OwnBroker;
let cluster: TestKafka;
let tracing: Tracing;
let deliveries: Deliveries;
let topic: string;

beforeAll(async () => {
  broker = await startOwnBroker('kafka');
  cluster = new TestKafka(instrumentation, { ...PATIENT, brokers: [broker.env['KAFKA_BROKERS'] ?? ''] });
}, ROUND_TIMEOUT_MS);
afterAll(async () => {
  await cluster.close();
  await broker.stop();
}, ROUND_TIMEOUT_MS);
beforeEach(async () => {
  topic = await cluster.topic(3);
  tracing = startTracing([instrumentation]);
  deliveries = new Deliveries(tracing);
});
afterEach(() => tracing.stop());

/** Two members of a group, of which one takes messages and the other batches. */
async function startMembers(): Promise<Consumer[]> {
  const groupId = `group-${randomUUID()}`;
  const members = [await cluster.consumer([topic], groupId, MEMBER), await cluster.consumer([topic], groupId, MEMBER)];
  await members[0]?.run({
    partitionsConsumedConcurrently: 3,
    eachMessage: async ({ partition, message }) => {
      deliveries.noteBatch([message]);
      deliveries.note(partition, message);
      await new Promise((resolve) => setTimeout(resolve, 1));
    },
  });
  await members[1]?.run({
    eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
      deliveries.noteBatch(batch.messages);
      for (const message of batch.messages) {
        deliveries.note(batch.partition, message);
        await new Promise((resolve) => setTimeout(resolve, 1));
        resolveOffset(message.offset);
        await heartbeat();
      }
    },
  });
  return members;
}

/** Sends one message or three at a time, each with a value of its own, until it is told to stop. */
function startLoad(producer: Producer) {
  const calls = { single: 0, batch: 0, failed: 0 };
  /** What the broker has said that it has. */
  const sent = new Set<string>();
  let isRunning = true;
  const send = async (n: number) => {
    const values = n % 5 === 0 ? [`${n}.0`, `${n}.1`, `${n}.2`] : [`${n}`];
    calls[values.length === 1 ? 'single' : 'batch']++;
    try {
      await producer.send({ topic, messages: values.map((value) => ({ value })) });
      for (const value of values) sent.add(value);
    } catch {
      calls.failed++; // an application would try again, with a call of its own
    }
  };
  const load = (async () => {
    const open = new Set<Promise<void>>();
    for (let n = 1; isRunning; n++) {
      const call: Promise<void> = send(n).finally(() => open.delete(call));
      open.add(call);
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (open.size >= 20) await Promise.race(open);
    }
    await Promise.all(open);
  })();
  const stop = async () => {
    isRunning = false;
    await load;
  };
  return { calls, sent, stop };
}

/** The first round is the worse one. */
const rounds = Array.from({ length: ROUNDS }, (_, i) =>
  i % 2 === 0 ? (['killed', 'SIGKILL', i + 1] as const) : (['stopped', 'SIGTERM', i + 1] as const),
);

test.each(rounds)(
  '%s (%s) under load, round %i: nothing is lost or recorded twice, every span ends',
  async (_, signal) => {
    const members = await startMembers();
    const load = startLoad(await cluster.producer(PATIENT));
    await eventually('messages', () => deliveries.count > 50, ROUND_TIMEOUT_MS);
    await broker.halt(signal);
    await broker.restart();
    const before = load.sent.size;
    await eventually('sends again', () => load.sent.size > before + 50, ROUND_TIMEOUT_MS);
    await load.stop();
    const isEverythingThere = () => [...load.sent].every((value) => deliveries.values.has(value));
    await eventually('all that was sent', isEverythingThere, ROUND_TIMEOUT_MS);
    await Promise.all(members.map((member) => member.disconnect()));

    expect(await deliveries.problems()).toEqual([]);
    const named = (name: string) => tracing.spans().filter((span) => span.name === `${name} ${topic}`);
    const { single, batch, failed } = load.calls;
    expect({ sends: named('send').length, creates: named('create').length }).toEqual({
      sends: single + batch,
      creates: 3 * batch,
    });
    expect(named('send').filter(({ attributes }) => attributes['error.type'] !== undefined)).toHaveLength(failed);
  },
  4 * ROUND_TIMEOUT_MS,
);
