/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { randomUUID } from 'node:crypto';
import { applyInstrumentation, eventually, startTracing, type Tracing } from '@otel-messaging/test-utils';
import type {
  Admin,
  Consumer,
  ConsumerConfig,
  ConsumerRunConfig,
  KafkaConfig,
  Producer,
  ProducerConfig,
} from 'kafkajs';
import * as kafkajs from 'kafkajs';
import { KafkaInstrumentation, type KafkaInstrumentationConfig } from '../src';
import { remembering } from '../src/clients/kafkajs';

/** The broker of the tests: started by them, or given. */
export function brokers(): string[] {
  const { KAFKA_BROKERS } = process.env;
  if (!KAFKA_BROKERS) throw new Error('KAFKA_BROKERS is not set: run the tests as the README says');
  return KAFKA_BROKERS.split(',');
}

/** An instrumentation that is applied to this test file's kafkajs. */
export function instrumented(config?: KafkaInstrumentationConfig): KafkaInstrumentation {
  const instrumentation = new KafkaInstrumentation(config);
  applyInstrumentation(instrumentation, require, ['kafkajs']);
  return instrumentation;
}

/** Clients of the test broker, closed with `close()`. */
export class TestKafka {
  readonly kafka: kafkajs.Kafka;
  private readonly open: { disconnect(): Promise<void> }[] = [];
  private admin: Admin | undefined;

  constructor(instrumentation: KafkaInstrumentation, config: Partial<KafkaConfig> = {}) {
    // What the require hook puts in the place of the class; jest's own `require` cannot.
    const Kafka = remembering(kafkajs.Kafka, instrumentation.telemetry);
    this.kafka = new Kafka({
      clientId: 'shop',
      brokers: config.brokers ?? brokers(),
      logLevel: kafkajs.logLevel.NOTHING,
      retry: { initialRetryTime: 20, retries: 5 },
      ...config,
    });
  }

  async topic(numPartitions = 1, configEntries: { name: string; value: string }[] = []): Promise<string> {
    const topic = `topic-${randomUUID()}`;
    await this.createTopics([{ topic, numPartitions, configEntries }]);
    return topic;
  }

  async topics(count: number): Promise<string[]> {
    const topics = Array.from({ length: count }, () => `topic-${randomUUID()}`);
    await this.create(topics);
    return topics;
  }

  /** Topics with names of the test's own. */
  async create(topics: string[]): Promise<void> {
    await this.createTopics(topics.map((topic) => ({ topic, numPartitions: 1 })));
  }

  private async createTopics(topics: kafkajs.ITopicConfig[]): Promise<void> {
    if (this.admin === undefined) {
      this.admin = this.kafka.admin();
      this.open.push(this.admin);
      await this.admin.connect();
    }
    // `waitForLeaders` gives up where the broker has not heard of the topic yet, and says nothing of what comes then: a broker
    // that does not host a partition yet refuses its records, and the producer sends those of the others once more.
    const { admin } = this;
    await admin.createTopics({ topics, waitForLeaders: false });
    const names = topics.map(({ topic }) => topic);
    await eventually('topics with leaders', async () => {
      const found = await admin.fetchTopicMetadata({ topics: names }).catch(() => undefined);
      return found?.topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0)) === true;
    });
    await eventually('topics that are hosted', async () => {
      const offsets = Promise.all(names.map((name) => admin.fetchTopicOffsets(name)));
      return (await offsets.catch(() => undefined)) !== undefined;
    });
  }

  async producer(config: ProducerConfig = {}): Promise<Producer> {
    const producer = this.kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner, ...config });
    this.open.push(producer);
    await producer.connect();
    return producer;
  }

  /** A consumer of the topics' whole content. */
  async consumer(
    topics: string[],
    groupId = `group-${randomUUID()}`,
    config: Partial<ConsumerConfig> = {},
  ): Promise<Consumer> {
    const retry = { initialRetryTime: 20, retries: 5 };
    const consumer = this.kafka.consumer({ groupId, maxWaitTimeInMs: 50, retry, ...config });
    this.open.push(consumer);
    await consumer.connect();
    await consumer.subscribe({ topics, fromBeginning: true });
    return consumer;
  }

  /** Runs a new consumer until the condition holds. */
  async run(topics: string[], config: ConsumerRunConfig, isDone: () => boolean): Promise<void> {
    const consumer = await this.consumer(topics);
    await consumer.run(config);
    await eventually('the messages', isDone);
    await consumer.disconnect();
  }

  /** What the group has committed of a topic, by partition. */
  async committed(groupId: string, topic: string): Promise<string[]> {
    const [offsets] = (await this.admin?.fetchOffsets({ groupId, topics: [topic] })) ?? [];
    return offsets?.partitions.sort((a, b) => a.partition - b.partition).map(({ offset }) => offset) ?? [];
  }

  async close(): Promise<void> {
    await Promise.all(this.open.splice(0).map((client) => client.disconnect()));
  }
}

/** What each test of a file has of its own. */
export interface OwnOfTest {
  readonly tracing: Tracing;
  /** Empty. */
  readonly topic: string;
}

/** An instrumentation and clients for a file's tests, each of which gets an SDK and a topic, and must leave no span open. */
export function forEachTest(assign: (own: OwnOfTest) => void, partitions = 1) {
  const instrumentation = instrumented();
  const cluster = new TestKafka(instrumentation);
  let tracing: Tracing;
  afterAll(() => cluster.close());
  beforeEach(async () => {
    const topic = await cluster.topic(partitions);
    tracing = startTracing([instrumentation]);
    assign({ tracing, topic });
  });
  afterEach(async () => {
    expect(tracing.openSpans).toBe(0);
    expect(
      tracing
        .spans()
        .filter(lacksClusterId)
        .map(({ name }) => name),
    ).toEqual([]);
    await tracing.stop();
    instrumentation.setConfig({});
  });
  return { instrumentation, cluster };
}

/** The contract leaves the cluster's id to the client: this one has it when a call ends, unless it could not connect. */
function lacksClusterId({ attributes }: ReturnType<Tracing['spans']>[number]): boolean {
  const isWanted =
    attributes['messaging.system.name'] === 'kafka' && attributes['messaging.operation.type'] !== 'create';
  return isWanted && attributes['kafka.cluster.id'] === undefined && attributes['error.type'] === undefined;
}

/** What a handler fails with: an error that kafkajs retries, unlike those of the language itself. */
export class PaymentFailed extends Error {
  override readonly name = 'PaymentFailed';
}
