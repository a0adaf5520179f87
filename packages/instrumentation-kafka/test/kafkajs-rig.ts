/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { RigClient, RigMessage } from '@otel-messaging/test-utils';
import type { Consumer, EachBatchPayload, KafkaMessage, Producer, ProducerRecord } from 'kafkajs';

/** How a consumer takes messages: one by one, or a batch that it walks. */
export type Taking = 'eachMessage' | 'eachBatch';

type Handler = (message: KafkaMessage) => unknown;

/** An application of kafkajs, or of a client in its manner, as the conformance suite needs one. */
export class KafkajsClient implements RigClient<ProducerRecord, KafkaMessage> {
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
    /** Calls that the client refuses. */
    readonly malformed: Readonly<Record<string, () => unknown>>,
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
