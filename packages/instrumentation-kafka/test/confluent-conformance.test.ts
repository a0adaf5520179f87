/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { describeConformance, type Rig, type RigClient, type RigMessage } from '@otel-messaging/test-utils';
import type { KafkaMessage, ProducerRecord } from 'kafkajs';
import { type Confluent, confluent, instrumented, NAME, TestConfluent } from './confluent';
import { describeNative } from './native';

type Handler = (message: KafkaMessage) => unknown;
type Producer = Awaited<ReturnType<TestConfluent['producer']>>;
type Consumer = Awaited<ReturnType<TestConfluent['consumer']>>;

describeNative<Confluent>(confluent, NAME, (client) => {
  const { prototype } = client.KafkaJS.Kafka;
  const { producer, consumer } = prototype;
  const instrumentation = instrumented();
  const cluster = new TestConfluent(client);
  afterAll(() => cluster.close());

  // Batches go through the very handlers that the suite of kafkajs has tested; confluent.test.ts has one.
  const rig: Rig = {
    name: "Confluent's client in the manner of kafkajs",
    instrumentation,
    doors: [
      { holder: prototype, name: 'producer', original: producer },
      { holder: prototype, name: 'consumer', original: consumer },
    ],
    cannot: { 'a limit on headers': 'Kafka bounds a whole message, not its headers' },
    async connect() {
      const topic = await cluster.topic();
      return new Client(topic, await cluster.producer(), await cluster.consumer([topic]));
    },
  };
  describeConformance(() => rig);
});

class Client implements RigClient<ProducerRecord, KafkaMessage> {
  private isRunning = false;
  private pending = 0;
  private handler: Handler = () => {};
  private done: (error?: unknown) => void = () => {};
  /** Offsets whose handler has failed; an application without end would meet them again and again. */
  private readonly failed = new Set<string>();

  constructor(
    private readonly topic: string,
    private readonly producer: Producer,
    private readonly consumer: Consumer,
  ) {}

  input(message: RigMessage): ProducerRecord {
    return this.batchInput([message]);
  }

  send(record: ProducerRecord) {
    return this.producer.send(record as never);
  }

  batchInput(messages: readonly RigMessage[]): ProducerRecord {
    return { topic: this.topic, messages: messages.map(({ body, headers }) => ({ value: body, headers })) };
  }

  sendBatch(record: ProducerRecord) {
    return this.send(record);
  }

  async flush(): Promise<void> {}

  async consume(count: number, handler: Handler): Promise<void> {
    this.handler = handler;
    this.pending = count;
    const done = new Promise<void>((resolve, reject) => {
      this.done = (error) => (error === undefined ? resolve() : reject(error));
    });
    if (this.isRunning) this.consumer.resume([{ topic: this.topic }]);
    else {
      this.isRunning = true;
      await this.consumer.run({ eachMessage: ({ message }) => this.take(message as never) as Promise<void> });
    }
    return done;
  }

  body({ value }: KafkaMessage): string {
    return String(value);
  }

  headers({ headers }: KafkaMessage): Readonly<Record<string, string>> {
    return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]));
  }

  forward({ value, headers }: KafkaMessage): ProducerRecord {
    return { topic: this.topic, messages: [{ value, headers }] };
  }

  get malformed() {
    const { producer, consumer, topic } = this;
    return {
      'no messages': () => producer.send({ topic } as never),
      'a run configuration that is null': () => consumer.run(null as never),
      'no topic': () => producer.send({ topic: '', messages: [{ value: 'a' }] }),
      'a message without value': () => producer.send({ topic, messages: [{ key: 'k', headers: {} } as never] }),
      'an option that is refused': () => producer.send({ topic, messages: [{ value: 'a' }], acks: 1 } as never),
      'a batch of null': () => producer.sendBatch(null as never),
      'a transaction without transactional id': () => producer.transaction(),
      'a run option that is refused': () => consumer.run({ autoCommit: true } as never),
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.consumer.disconnect(), this.producer.disconnect()]);
  }

  /** Not async: a handler that throws synchronously is to reach the instrumentation as such. */
  private take(message: KafkaMessage): unknown {
    if (this.failed.has(message.offset)) return undefined;
    this.pending--;
    if (this.pending === 0) this.consumer.pause([{ topic: this.topic }]);
    const fail = (error: unknown): never => {
      this.failed.add(message.offset);
      this.done(error);
      throw error;
    };
    const finish = () => {
      if (this.pending === 0) this.done();
    };
    let result: unknown;
    try {
      result = this.handler(message);
    } catch (error) {
      return fail(error);
    }
    if (result instanceof Promise) return result.then(finish, fail);
    finish();
    return result;
  }
}
