/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  type ActiveOperation,
  type BatchSendOperation,
  isObservable,
  type MessageWriter,
  type Outcome,
  type Telemetry,
} from '@otel-messaging/messaging-common';
import type { Producer, ProducerBatch, ProducerRecord, RecordMetadata, Sender, Transaction } from 'kafkajs';
import { type KafkaMessage, partitionOf, TopicFormat, type TopicMessage } from '../message';
import { batchSendFacts, type ClientFacts, createFacts, sendFacts, TopicPlans } from '../operations';
import type { Formats } from '../retry-format';
import { GroupCommits, positionsOf } from './kafkajs-commits';
import { BATCH, commonPartitionOf, type Entry, positionOf, RECORD, type RecordShape } from './kafkajs-records';

/** Wraps the methods of one producer, on the object itself: kafkajs has no class to patch. */
export function patchProducer(
  producer: Producer,
  client: ClientFacts,
  telemetry: Telemetry,
  formats: Formats<MessageWriter<KafkaMessage>>,
): void {
  const sends = new Sends(client, telemetry, formats);
  sends.patch(producer);
  const commits = new GroupCommits(client, telemetry);
  const begin = producer.transaction;
  producer.transaction = function transaction(this: Producer, ...args: []) {
    const promise = begin.apply(this, args);
    if (!isObservable(promise)) return promise;
    return promise.then((begun) => {
      telemetry.guard('trace a transaction', undefined, () => {
        sends.patch(begun);
        patchSendOffsets(begun, commits);
      });
      return begun;
    });
  };
}

/** Offsets of a consumer group that are committed with the transaction. */
function patchSendOffsets(transaction: Transaction, commits: GroupCommits): void {
  const { sendOffsets } = transaction;
  transaction.sendOffsets = function (this: unknown, ...args: Parameters<typeof sendOffsets>) {
    const group = commits.of(() => args[0]?.consumerGroupId);
    return group.trace<Promise<void>>(() => positionsOf(args[0]), sendOffsets, this, args);
  } as typeof sendOffsets;
}

type Send<T> = (argument: T) => Promise<RecordMetadata[]>;

/** A call, and what is known of it. */
export interface Call<T> {
  readonly original: Send<T>;
  readonly sender: unknown;
  readonly args: [T];
  readonly shape: RecordShape<T>;
  /** What to record in place of an error that does not say its type itself. */
  readonly named?: (error: unknown) => unknown;
}

/** The sends of one producer, in and out of transactions. */
export class Sends {
  private readonly plans: TopicPlans;
  private readonly batchPlans: TopicPlans;
  private readonly createPlans: TopicPlans;
  private readonly topicFormat: TopicFormat;

  constructor(
    client: ClientFacts,
    private readonly telemetry: Telemetry,
    private readonly formats: Formats<MessageWriter<KafkaMessage>>,
  ) {
    this.plans = new TopicPlans(telemetry, client, sendFacts);
    this.batchPlans = new TopicPlans(telemetry, client, batchSendFacts);
    this.createPlans = new TopicPlans(telemetry, client, createFacts);
    this.topicFormat = new TopicFormat(formats);
  }

  patch(sender: Sender): void {
    const sends = this;
    const { send: originalSend, sendBatch: originalSendBatch } = sender;
    sender.send = function send(this: unknown, ...args: [ProducerRecord]) {
      if (!sends.telemetry.isOn()) return originalSend.apply(this as Sender, args);
      return sends.trace({ original: originalSend, sender: this, args, shape: RECORD });
    };
    sender.sendBatch = function sendBatch(this: unknown, ...args: [ProducerBatch]) {
      if (!sends.telemetry.isOn()) return originalSendBatch.apply(this as Sender, args);
      return sends.trace({ original: originalSendBatch, sender: this, args, shape: BATCH });
    };
  }

  trace<T>(call: Call<T>): Promise<RecordMetadata[]> {
    let entries: readonly Entry[] | undefined;
    try {
      entries = call.shape.read(call.args[0]);
    } catch (error) {
      this.telemetry.report('read a record', error);
    }
    if (entries === undefined) return call.original.apply(call.sender, call.args);
    const messages = entries.length === 1 ? (entries[0] as Entry).messages : entries.flatMap((e) => e.messages);
    if (messages.length === 1) return this.traceOne(call, entries, messages[0] as KafkaMessage);
    if (messages.length > 1) return this.traceSeveral(call, entries, messages);
    return call.original.apply(call.sender, call.args);
  }

  private traceOne<T>(call: Call<T>, entries: readonly Entry[], message: KafkaMessage): Promise<RecordMetadata[]> {
    const topic = commonTopic(entries);
    const plan = this.plans.of(topic, partitionOf(message));
    const operation = this.telemetry.startSend(plan, message, this.formats.of(topic));
    if (operation === undefined) return call.original.apply(call.sender, call.args);
    // Nothing written, nothing copied: a context of the application's own stays in its own message.
    const argument = operation.message === message ? call.args[0] : this.rebuild(call, entries, [operation.message]);
    return run(operation, call, argument, positionOf);
  }

  private traceSeveral<T>(
    call: Call<T>,
    entries: readonly Entry[],
    messages: readonly KafkaMessage[],
  ): Promise<RecordMetadata[]> {
    const { telemetry, batchPlans, createPlans } = this;
    const topic = commonTopic(entries);
    if (topic !== undefined) {
      const operation = telemetry.startBatchSend(batchPlans.of(topic), messages, this.formats.of(topic), (i) =>
        createPlans.of(topic, partitionOf(messages[i] as KafkaMessage)),
      );
      return this.traceBatch(call, entries, operation, operation?.messages);
    }
    const pairs = entries.flatMap((entry) => entry.messages.map((message) => ({ topic: entry.topic, message })));
    const operation = telemetry.startBatchSend(batchPlans.of(undefined), pairs, this.topicFormat, (i) =>
      createPlans.of(pairs[i]?.topic, partitionOf((pairs[i] as TopicMessage).message)),
    );
    return this.traceBatch(
      call,
      entries,
      operation,
      operation?.messages.map(({ message }) => message),
    );
  }

  private traceBatch<T, M>(
    call: Call<T>,
    entries: readonly Entry[],
    operation: BatchSendOperation<M> | undefined,
    copies: readonly KafkaMessage[] = [],
  ): Promise<RecordMetadata[]> {
    if (operation === undefined) return call.original.apply(call.sender, call.args);
    return run(operation, call, this.rebuild(call, entries, copies), commonPartitionOf);
  }

  private rebuild<T>({ args, shape }: Call<T>, entries: readonly Entry[], messages: readonly KafkaMessage[]): T {
    try {
      return shape.rebuild(args[0], entries, messages);
    } catch (error) {
      this.telemetry.report('copy a record', error);
      return args[0];
    }
  }
}

/**
 * Calls kafkajs and watches the answer. Not inside the span's context: nothing in there makes spans of its own, a tenth
 * of the cost of tracing a send would be for it, and a connection opened meanwhile would keep that context for its life.
 */
function run<T>(
  operation: ActiveOperation,
  { original, sender, named }: Call<T>,
  argument: T,
  outcome: (answer: RecordMetadata[]) => Outcome,
): Promise<RecordMetadata[]> {
  let answer: Promise<RecordMetadata[]>;
  try {
    answer = original.call(sender, argument);
  } catch (error) {
    operation.fail(error);
    throw error;
  }
  if (isObservable(answer)) return operation.endWith(answer, outcome, named) as Promise<RecordMetadata[]>;
  operation.end();
  return answer;
}

/** The topic of all messages, if it is one. */
function commonTopic(entries: readonly Entry[]): string | undefined {
  if (entries.length === 1) return entries[0]?.topic;
  const topics = new Set(entries.filter(({ messages }) => messages.length > 0).map(({ topic }) => topic));
  const [topic] = topics;
  return topics.size === 1 ? topic : undefined;
}
