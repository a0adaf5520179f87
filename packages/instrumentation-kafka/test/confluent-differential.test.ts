/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { outcomeOf, Random, startTracing, type Tracing, unhandledRejections } from '@otel-messaging/test-utils';
import type { KafkaMessage } from 'kafkajs';
import { type Confluent, confluent, instrumented, NAME, TestConfluent } from './confluent';
import { describeNative } from './native';
import { batch, record, storedAs } from './odd-records';

const CASES = 100;

/**
 * As `differential.test.ts` for kafkajs, with plain objects: the client writes into those that it is given, so that others
 * fail without us, and do not with the copies that ours hands on.
 */
describeNative<Confluent>(confluent, `${NAME}, with any argument`, (client) => {
  const instrumentation = instrumented({ captureMessageKey: true, captureBodySize: true });
  const cluster = new TestConfluent(client);
  let tracing: Tracing;

  beforeAll(() => {
    tracing = startTracing([instrumentation], { contract: false }); // odd topics have odd names
  });
  afterAll(async () => {
    instrumentation.enable();
    await cluster.close();
    await tracing.stop();
  });

  test.each([
    ['send', record],
    ['sendBatch', batch],
  ] as const)('%s behaves the same', async (method, input) => {
    instrumentation.disable();
    const without = await results(method, input);
    instrumentation.enable();
    const withUs = await results(method, input);
    for (let seed = 0; seed < CASES; seed++) expect(withUs.seen[seed]).toEqual(without.seen[seed]);
    expect(withUs.forgotten).toEqual(without.forgotten);
    expect(withUs.delivered).toEqual(without.delivered);
    expect(without.delivered.length).toBeGreaterThan(CASES / 3);
    expect(tracing.spans().length).toBeGreaterThan(CASES / 3);
    expect(tracing.openSpans).toBe(0);
  });

  async function results(method: 'send' | 'sendBatch', input: typeof record) {
    const topic = await cluster.topic();
    const anonymous = (text: string) => text.replaceAll(topic, 'the topic');
    const seen: unknown[] = [];
    const producer = await cluster.producer({ 'message.timeout.ms': 2000 });
    // The client leaves rejections of its own behind.
    const forgotten = await unhandledRejections(async () => {
      for (let seed = 0; seed < CASES; seed++) {
        const argument = input(new Random(seed), topic);
        const { manner, what } = await outcomeOf(() => producer[method](argument as never));
        seen.push({ seed, manner, what: anonymous(what) });
      }
    });
    await producer.send({ topic, messages: [{ value: 'the end' }] });
    return { seen, forgotten, delivered: await delivered(topic) };
  }

  async function delivered(topic: string): Promise<unknown[]> {
    const all: KafkaMessage[] = [];
    const isAtEnd = () => String(all[all.length - 1]?.value) === 'the end';
    await cluster.run([topic], { eachMessage: async ({ message }) => void all.push(message as KafkaMessage) }, isAtEnd);
    return all.map(storedAs);
  }
});
