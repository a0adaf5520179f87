/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { outcomeOf, Random, startTracing, type Tracing, unhandledRejections } from '@otel-messaging/test-utils';
import { type Confluent, confluent, instrumented, NAME, TestConfluent } from './confluent';
import { describeNative } from './native';
import { batch, record } from './odd-records';
import { delivered, expectSame } from './same';

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
    expectSame(withUs, without, tracing);
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
    return { seen, forgotten, delivered: await delivered(cluster, topic) };
  }
});
