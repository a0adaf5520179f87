/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { outcomeOf, Random, shown, startTracing, type Tracing, varied } from '@otel-messaging/test-utils';
import type { Producer } from 'kafkajs';
import { instrumented, TestKafka } from './kafka';
import { batch, record } from './odd-records';
import { delivered, expectSame } from './same';

/**
 * Valid, odd and malformed arguments, the same with and without instrumentation: what the application sees of a call and
 * of its own objects, and what the broker gets must not differ.
 */
const CASES = 100;

const instrumentation = instrumented({ captureMessageKey: true, captureBodySize: true });
const cluster = new TestKafka(instrumentation);
let tracing: Tracing;

beforeAll(() => {
  tracing = startTracing([instrumentation], { contract: false }); // odd topics have odd names
});

afterAll(async () => {
  instrumentation.enable();
  await cluster.close();
  await tracing.stop();
});

type Sender = Pick<Producer, 'send' | 'sendBatch'>;

interface Kind {
  input(random: Random, topic: string): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: arguments that the types refuse
  send(sender: Sender, argument: any): unknown;
}

const KINDS: Readonly<Record<string, Kind>> = {
  send: { input: record, send: (sender, argument) => sender.send(argument) },
  sendBatch: { input: batch, send: (sender, argument) => sender.sendBatch(argument) },
  'send in a transaction': { input: record, send: (sender, argument) => sender.send(argument) },
};

test.each(Object.entries(KINDS))('%s behaves the same with any argument', async (name, kind) => {
  instrumentation.disable();
  const without = await results(name, kind);
  instrumentation.enable();
  const withUs = await results(name, kind);
  expectSame(withUs, without, tracing);
});

async function results(name: string, { input, send }: Kind) {
  const topic = await cluster.topic();
  const anonymous = (text: string) => text.replaceAll(topic, 'the topic');
  const isInTransaction = name.includes('transaction');
  const seen: unknown[] = [];
  const open = () =>
    cluster.producer({
      retry: { retries: isInTransaction ? 8 : 0, initialRetryTime: 5 },
      ...(isInTransaction && { transactionalId: topic, maxInFlightRequests: 1 }),
    });
  let producer = await open();
  for (let seed = 0; seed < CASES; seed++) {
    const random = new Random(seed);
    const argument = varied(random, input(random, topic), 40);
    const transaction = isInTransaction ? await producer.transaction() : undefined;
    const call = await outcomeOf(() => send(transaction ?? producer, argument));
    if (transaction?.isActive()) await (call.manner === 'resolved' ? transaction.commit() : transaction.abort());
    // A topic that is none stays with the client, which asks for it in all requests to come.
    if (call.manner !== 'resolved') producer = await open();
    seen.push({ seed, manner: call.manner, what: anonymous(call.what), argument: anonymous(shown(argument)) });
  }
  const last = await cluster.producer();
  await last.send({ topic, messages: [{ value: 'the end' }] });
  return { seen, delivered: await delivered(cluster, topic) };
}
