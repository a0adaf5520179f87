/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { randomUUID } from 'node:crypto';
import { describeConformance, type Rig, type RigClient, type RigMessage } from '@otel-messaging/test-utils';
import type { Consumer, EachBatchPayload, KafkaMessage, Message, Producer, ProducerRecord } from 'kafkajs';
import { Kafka } from 'kafkajs';
import { instrumented, TestKafka } from './kafka';

const { producer, consumer } = Kafka.prototype;
const instrumentation = instrumented();
const cluster = new TestKafka(instrumentation);
afterAll(() => cluster.close());

/** How a consumer takes messages: one by one, or a batch that it walks. */
type Taking = 'eachMessage' | 'eachBatch';

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
    return new KafkajsClient(taking, topic, producer, await cluster.consumer([topic], `group-${randomUUID()}`));
  },
});

type Handler = (message: KafkaMessage) => unknown;

class KafkajsClient implements RigClient<ProducerRecord, KafkaMessage> {
  private isRunning = false;
  private pending = 0;
  private handler: Handler = () => {};
  private done: (error?: unknown) => void = () => {};
  /** Offsets whose handler has failed; an application without end would meet them again and again. */
  private readonly failed = new Set<string>();

  constructor(
    private readonly taking: Taking,
    private readonly topic: string,
    private readonly producer: Producer,
    private readonly consumer: Consumer,
  ) {}

  input(message: RigMessage): ProducerRecord {
    return this.batchInput([message]);
  }

  send(record: ProducerRecord) {
    return this.producer.send(record);
  }

  batchInput(messages: readonly RigMessage[]): ProducerRecord {
    return { topic: this.topic, messages: messages.map(({ body, headers }) => ({ value: body, headers })) };
  }

  sendBatch(record: ProducerRecord) {
    return this.producer.send(record);
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
      await this.consumer.run(
        this.taking === 'eachMessage'
          ? { eachMessage: ({ message }) => this.take(message) as Promise<void> }
          : { eachBatchAutoResolve: false, eachBatch: (payload) => this.takeBatch(payload) },
      );
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

  readonly malformed = {
    'no argument': () => this.producer.send(undefined as unknown as ProducerRecord),
    'no messages': () => this.producer.send({ topic: this.topic } as ProducerRecord),
    'no topic': () => this.producer.send({ topic: '', messages: [{ value: 'a' }] }),
    'a message without value': () =>
      this.producer.send({ topic: this.topic, messages: [{ value: 'a' }, { key: 'k', headers: {} } as Message] }),
    'a message that is null': () =>
      this.producer.send({ topic: this.topic, messages: [null as unknown as Message, { value: 'a' }] }),
    'a getter that throws': () => this.producer.send({ topic: this.topic, messages: [hostileMessage()] }),
    'a topic without messages in a batch': () =>
      this.producer.sendBatch({
        topicMessages: [{ topic: this.topic, messages: [{ value: 'a' }] }, { topic: 'b' } as never],
      }),
    'a batch of null': () => this.producer.sendBatch({ topicMessages: null as never }),
    'a transaction without transactional id': () => this.producer.transaction(),
    'a run configuration that is null': () => this.consumer.run(null as never),
  };

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

  private async takeBatch({ batch, resolveOffset }: EachBatchPayload): Promise<void> {
    for (const message of batch.messages) {
      await this.take(message);
      resolveOffset(message.offset);
      if (this.pending === 0) break;
    }
  }
}

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
