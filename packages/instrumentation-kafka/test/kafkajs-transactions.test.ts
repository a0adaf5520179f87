/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { eventually, type Tracing, traceText } from '@otel-messaging/test-utils';
import type { EachMessagePayload, Transaction } from 'kafkajs';
import { forEachTest } from './kafka';

let tracing: Tracing;
let topic: string;
const { instrumentation, cluster } = forEachTest((own) => {
  ({ tracing, topic } = own);
});

const transactional = () =>
  cluster.producer({ transactionalId: `tx-${topic}`, idempotent: true, maxInFlightRequests: 1 });
const text = (attributes: string[] = [], other = '') =>
  traceText(tracing.spans(), {
    attributes,
    rename: (name) => name.replaceAll(topic, 'orders').replaceAll(other || topic, 'bills'),
  });

/** A transaction of a new producer. */
async function begin(): Promise<Transaction> {
  return (await transactional()).transaction();
}

/** Values of the topic's messages, as a consumer gets them. */
async function consumed(count: number): Promise<string[]> {
  const values: string[] = [];
  const eachMessage = async ({ message }: EachMessagePayload) => {
    values.push(String(message.value));
  };
  await cluster.run([topic], { eachMessage }, () => values.length >= count);
  return values;
}

test('what was committed is handled in its own trace, what was aborted is not handled', async () => {
  const producer = await transactional();
  const first = await producer.transaction();
  await first.send({ topic, messages: [{ value: 'aborted' }] });
  await first.abort();
  const second = await producer.transaction();
  await second.sendBatch({ topicMessages: [{ topic, messages: [{ value: 'committed' }] }] });
  await second.commit();
  expect(await consumed(1)).toEqual(['committed']);
  expect(text(['kafka.offset'])).toBe(
    [
      'send orders PRODUCER {kafka.offset=0}',
      'send orders PRODUCER {kafka.offset=2}', // between them is the mark of the abort
      '└─ process orders CONSUMER {kafka.offset=2}  → send orders',
    ].join('\n'),
  );
});

test('S12: one that is never finished leaves no span behind', async () => {
  const producer = await transactional();
  const transaction = await producer.transaction();
  await transaction.send({ topic, messages: [{ value: '1' }] });
  await producer.disconnect();
  expect(text()).toBe('send orders PRODUCER');
});

test('one that fails: every span ends, with the error of the application', async () => {
  const transaction = await begin();
  const send = transaction.send({ topic, messages: [{ value: Buffer.alloc(2_000_000) }] });
  await expect(send).rejects.toMatchObject({ type: 'MESSAGE_TOO_LARGE' });
  await transaction.abort();
  expect(text()).toBe('send orders PRODUCER !MESSAGE_TOO_LARGE');
});

test('a handler that consumes, produces and commits in one transaction', async () => {
  instrumentation.setConfig({ settleSpans: true });
  const next = await cluster.topic();
  const producer = await transactional();
  await (await cluster.producer()).send({ topic, messages: [{ value: '1' }] });
  const consumerGroupId = `group-${topic}`;
  const consumer = await cluster.consumer([topic], consumerGroupId);
  let isDone = false;
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      const transaction = await producer.transaction();
      await transaction.send({ topic: next, messages: [{ value: message.value, headers: message.headers }] });
      const offset = String(Number(message.offset) + 1);
      await transaction.sendOffsets({ consumerGroupId, topics: [{ topic, partitions: [{ partition, offset }] }] });
      await transaction.commit();
      isDone = true;
    },
  });
  await eventually('the message', () => isDone);
  await consumer.disconnect();
  expect(text(['kafka.offset', 'messaging.consumer.group.name'], next).replaceAll(consumerGroupId, 'mailer')).toBe(
    [
      'send orders PRODUCER {kafka.offset=0}',
      `└─ process orders CONSUMER {kafka.offset=0} {messaging.consumer.group.name=group-orders}  → send orders`,
      '   ├─ send bills PRODUCER {kafka.offset=0}',
      '   └─ commit orders CLIENT {kafka.offset=1} {messaging.consumer.group.name=group-orders}',
    ].join('\n'),
  );
  expect(await cluster.committed(consumerGroupId, topic)).toEqual(['1']);
});

describe('sendOffsets', () => {
  const offsets = (consumerGroupId: string, count = 1) => ({
    consumerGroupId,
    topics: [{ topic, partitions: Array.from({ length: count }, () => ({ partition: 0, offset: '0' })) }],
  });

  test('makes no span unless asked for', async () => {
    const transaction = await begin();
    await transaction.sendOffsets(offsets('mailer'));
    await transaction.abort();
    expect(text()).toBe('');
  });

  test("that fails has the error's name, and rejects with the same error", async () => {
    instrumentation.setConfig({ settleSpans: true });
    const transaction = await begin();
    await transaction.abort();
    await expect(transaction.sendOffsets(offsets('mailer'))).rejects.toThrow('once ended');
    expect(text()).toBe('commit orders CLIENT !KafkaJSNonRetriableError');
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['no topics', { consumerGroupId: 'mailer' }],
    ['topics that are none', { consumerGroupId: 'mailer', topics: 3 }],
    ['partitions that are none', { consumerGroupId: 'mailer', topics: [{ topic: 'a' }] }],
  ])("of %s meets kafkajs's own error", async (_, argument) => {
    instrumentation.setConfig({ settleSpans: true });
    const errors: string[] = [];
    const transaction = await begin();
    for (const isOn of [true, false]) {
      if (isOn) instrumentation.enable();
      else instrumentation.disable();
      const call = transaction.sendOffsets(argument as never);
      expect(call).toBeInstanceOf(Promise);
      errors.push(
        await call.then(
          () => 'none',
          (error) => `${error.name}: ${error.message}`,
        ),
      );
    }
    instrumentation.enable();
    expect(errors[0]).toBe(errors[1]);
    await transaction.abort();
    expect(text()).toBe('');
  });
});
