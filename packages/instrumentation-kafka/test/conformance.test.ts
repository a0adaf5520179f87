/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { randomUUID } from 'node:crypto';
import { describeConformance, type Rig } from '@otel-messaging/test-utils';
import type { Consumer, Message, Producer, ProducerRecord } from 'kafkajs';
import { Kafka } from 'kafkajs';
import { instrumented, TestKafka } from './kafka';
import { KafkajsClient, type Taking } from './kafkajs-rig';

const { producer, consumer } = Kafka.prototype;
const instrumentation = instrumented();
const cluster = new TestKafka(instrumentation);
afterAll(() => cluster.close());

const rigOf = (taking: Taking): Rig => ({
  name: `kafkajs ${taking}`,
  instrumentation,
  doors: [
    { holder: Kafka.prototype, name: 'producer', original: producer },
    { holder: Kafka.prototype, name: 'consumer', original: consumer },
  ],
  cannot: { 'a limit on headers': 'Kafka bounds a whole message, not its headers' },
  async connect() {
    const topic = await cluster.topic();
    const producer = await cluster.producer();
    const consumer = await cluster.consumer([topic], `group-${randomUUID()}`);
    return new KafkajsClient(taking, topic, producer, consumer, malformedCalls(topic, producer, consumer));
  },
});

const malformedCalls = (topic: string, producer: Producer, consumer: Consumer) => ({
  'no argument': () => producer.send(undefined as unknown as ProducerRecord),
  'no messages': () => producer.send({ topic: topic } as ProducerRecord),
  'no topic': () => producer.send({ topic: '', messages: [{ value: 'a' }] }),
  'a message without value': () =>
    producer.send({ topic: topic, messages: [{ value: 'a' }, { key: 'k', headers: {} } as Message] }),
  'a message that is null': () =>
    producer.send({ topic: topic, messages: [null as unknown as Message, { value: 'a' }] }),
  'a getter that throws': () => producer.send({ topic: topic, messages: [hostileMessage()] }),
  'a topic without messages in a batch': () =>
    producer.sendBatch({
      topicMessages: [{ topic: topic, messages: [{ value: 'a' }] }, { topic: 'b' } as never],
    }),
  'a batch of null': () => producer.sendBatch({ topicMessages: null as never }),
  'a transaction without transactional id': () => producer.transaction(),
  'a run configuration that is null': () => consumer.run(null as never),
});

function hostileMessage(): Message {
  return {
    get value(): string {
      throw new Error('hostile');
    },
  };
}

describe('eachMessage', () => {
  describeConformance(() => rigOf('eachMessage'));
});

describe('eachBatch', () => {
  describeConformance(() => rigOf('eachBatch'));
});
