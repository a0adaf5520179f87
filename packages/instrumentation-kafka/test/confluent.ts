/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { randomUUID } from 'node:crypto';
import { applyInstrumentation, eventually } from '@otel-messaging/test-utils';
import { KafkaInstrumentation, type KafkaInstrumentationConfig } from '../src';
import { brokers } from './kafka';
import { nativeClient } from './native';

/** Confluent's client, with the types of its own. */
export type Confluent = typeof import('@confluentinc/kafka-javascript');
export type Kafka = import('@confluentinc/kafka-javascript').KafkaJS.Kafka;
type Producer = import('@confluentinc/kafka-javascript').KafkaJS.Producer;
type Consumer = import('@confluentinc/kafka-javascript').KafkaJS.Consumer;
type ConsumerRunConfig = Parameters<Consumer['run']>[0];

export const NAME = '@confluentinc/kafka-javascript';
export const confluent = nativeClient<Confluent>(require, NAME);

/** An instrumentation that is applied to this test file's client. */
export function instrumented(config?: KafkaInstrumentationConfig): KafkaInstrumentation {
  const instrumentation = new KafkaInstrumentation(config);
  applyInstrumentation(instrumentation, require, [NAME]);
  return instrumentation;
}

/** Says nothing: the client logs each error of a handler. */
const SILENT = { setLogLevel() {}, debug() {}, info() {}, warn() {}, error() {}, namespace: () => SILENT };

/** Clients of the test broker in the manner of kafkajs, closed with `close()`. */
export class TestConfluent {
  readonly kafka: Kafka;
  private readonly open: { disconnect(): Promise<void> }[] = [];

  constructor({ KafkaJS }: Confluent) {
    this.kafka = new KafkaJS.Kafka({ kafkaJS: { clientId: 'shop', brokers: brokers(), logger: SILENT as never } });
  }

  async topic(numPartitions = 1, configEntries: { name: string; value: string }[] = []): Promise<string> {
    const [topic] = await this.topics(1, numPartitions, configEntries);
    return topic as string;
  }

  async topics(count: number, numPartitions = 1, configEntries: { name: string; value: string }[] = []) {
    const topics = Array.from({ length: count }, () => `topic-${randomUUID()}`);
    const admin = this.kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: topics.map((topic) => ({ topic, numPartitions, configEntries })) });
    await admin.disconnect();
    return topics;
  }

  async producer(config: object = {}): Promise<Producer> {
    const producer = this.kafka.producer({ 'linger.ms': 0, ...config } as never);
    await producer.connect();
    this.open.push(producer);
    return producer;
  }

  /** A consumer of the topics' whole content. */
  async consumer(topics: string[], groupId = `group-${randomUUID()}`, config: object = {}): Promise<Consumer> {
    const consumer = this.kafka.consumer({
      kafkaJS: { groupId, fromBeginning: true, maxWaitTimeInMs: 20 },
      ...config,
    } as never);
    await consumer.connect();
    this.open.push(consumer);
    await consumer.subscribe({ topics });
    return consumer;
  }

  /** Runs a new consumer until the condition holds. */
  async run(topics: string[], config: ConsumerRunConfig, isDone: () => boolean | Promise<boolean>): Promise<void> {
    const consumer = await this.consumer(topics);
    await consumer.run(config);
    await eventually('the messages', isDone);
  }

  /** What the group has committed of a topic, by partition. */
  async committed(groupId: string, topic: string): Promise<string[]> {
    const admin = this.kafka.admin();
    await admin.connect();
    const [offsets] = await admin.fetchOffsets({ groupId, topics: [topic] });
    await admin.disconnect();
    return offsets?.partitions.map(({ offset }) => offset) ?? [];
  }

  async close(): Promise<void> {
    await Promise.all(this.open.splice(0).map((client) => client.disconnect()));
  }
}
