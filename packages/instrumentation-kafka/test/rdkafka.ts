/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { randomUUID } from 'node:crypto';
import { brokers } from './kafka';

/** A record as librdkafka's clients deliver it. */
export interface RdMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: readonly Record<string, Buffer>[];
}

export type Report = { readonly partition: number; readonly offset: number; readonly opaque?: unknown };

// biome-ignore lint/suspicious/noExplicitAny: as applications call it
type Listener = (...args: any[]) => unknown;

type Callback = (error: unknown) => void;

export interface RdClient {
  connect(options: object, callback: (error: unknown) => void): void;
  isConnected(): boolean;
  disconnect(callback: (error: unknown) => void): void;
  on(event: string, listener: Listener): this;
  once(event: string, listener: Listener): this;
  removeListener(event: string, listener: Listener): this;
  listeners(event: string): unknown[];
}

export interface RdProducer extends RdClient {
  // biome-ignore lint/suspicious/noExplicitAny: as applications call it
  produce(...args: any[]): unknown;
  setPollInterval(ms: number): void;
  flush(timeoutMs: number, callback: Callback): void;
  initTransactions(timeoutMs: number, callback: Callback): void;
  beginTransaction(callback: Callback): void;
  abortTransaction(timeoutMs: number, callback: Callback): void;
  sendOffsetsToTransaction(offsets: readonly object[], consumer: unknown, ...rest: (number | Callback)[]): void;
}

export interface RdConsumer extends RdClient {
  subscribe(topics: string[]): void;
  // biome-ignore lint/suspicious/noExplicitAny: as applications call it
  consume(...args: any[]): void;
  setDefaultConsumeTimeout(ms: number): void;
  setDefaultConsumeLoopTimeoutDelay(ms: number): void;
  pause(positions: object[]): void;
  resume(positions: object[]): void;
  commitMessage(message: unknown): void;
  commitSync(offsets?: unknown): void;
}

export interface RdStream extends AsyncIterable<RdMessage> {
  readonly consumer: RdConsumer;
  on(event: string, listener: Listener): this;
  close(callback: () => void): void;
}

type Class<T> = new (config: object, topicConfig?: object) => T;

/** What both clients of librdkafka's API export. */
export interface RdKafka {
  readonly Producer: Class<RdProducer> & { prototype: object };
  readonly CODES: { readonly ERRORS: Readonly<Record<string, number>> };
  readonly HighLevelProducer: Class<RdProducer>;
  createReadStream(config: object, topicConfig: object, options: object): RdStream;
  readonly KafkaConsumer: Class<RdConsumer> & { prototype: object };
}

/** Clients of the test broker in the manner of librdkafka, closed with `close()`. */
export class TestRdKafka {
  private readonly open: RdClient[] = [];

  constructor(private readonly client: RdKafka) {}

  async producer(config: object = { dr_cb: true }, Producer = this.client.Producer): Promise<RdProducer> {
    const producer = new Producer({ ...common(), 'linger.ms': 0, ...config });
    await this.connect(producer);
    producer.setPollInterval(5);
    return producer;
  }

  /** A consumer of the topics' whole content. */
  async consumer(topics: string[], config: object = {}, Consumer = this.client.KafkaConsumer): Promise<RdConsumer> {
    const own = { 'group.id': `group-${randomUUID()}`, 'fetch.wait.max.ms': 20 };
    const consumer = new Consumer({ ...common(), ...own, ...config }, { 'auto.offset.reset': 'earliest' });
    await this.connect(consumer);
    consumer.setDefaultConsumeTimeout(20);
    consumer.setDefaultConsumeLoopTimeoutDelay(20);
    consumer.subscribe(topics);
    return consumer;
  }

  async close(): Promise<void> {
    await Promise.all(this.open.splice(0).map(disconnected));
  }

  private async connect(client: RdClient): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      client.connect({}, (error) => (error ? reject(error) : resolve()));
    });
    this.open.push(client);
  }
}

export function disconnected(client: RdClient): Promise<void> {
  if (!client.isConnected()) return Promise.resolve();
  return new Promise((resolve) => client.disconnect(() => resolve()));
}

export function common() {
  return { 'client.id': 'shop', 'bootstrap.servers': brokers().join(',') };
}
