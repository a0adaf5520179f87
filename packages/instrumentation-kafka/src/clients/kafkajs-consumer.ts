/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type AnyFunction, isObservable, type MessageReader, type Telemetry } from '@otel-messaging/messaging-common';
import type { Consumer, ConsumerRunConfig, EachBatchPayload, EachMessagePayload } from 'kafkajs';
import { ConsumerLag } from '../consumer-lag';
import { copyOf } from '../copy';
import type { KafkaMessage } from '../message';
import { batchProcessFacts, type ClientFacts, processFacts, TopicPlans } from '../operations';
import type { Formats } from '../retry-format';
import { followed } from './kafkajs-batch';
import { Commits } from './kafkajs-commits';
import { followLag } from './kafkajs-lag';
import type { Positions } from './rdkafka-lag';

/** kafkajs awaits what a handler returns before it goes on. */
const AWAITED = { endsAtSettlement: false, dropsPromise: false } as const;

const RUN_PROPERTIES = [
  'autoCommit',
  'autoCommitInterval',
  'autoCommitThreshold',
  'eachBatchAutoResolve',
  'partitionsConsumedConcurrently',
  'eachBatch',
  'eachMessage',
] as const satisfies readonly (keyof ConsumerRunConfig)[];

/** Wraps the methods of one consumer, on the object itself: kafkajs has no class to patch. */
export function patchConsumer(
  consumer: Consumer,
  client: ClientFacts,
  telemetry: Telemetry,
  formats: Formats<MessageReader<KafkaMessage>>,
): Consumer {
  const { run, commitOffsets } = consumer;
  const commits = new Commits(client, telemetry);
  const handlers = new Handlers(client, telemetry, formats, commits);

  consumer.run = function (this: unknown, ...args: Parameters<typeof run>) {
    const config = telemetry.guard('wrap the handler of a consumer', args[0], () => handlers.inside(args[0]));
    return config === args[0] ? run.apply(this, args) : run.call(this, config);
  };
  consumer.commitOffsets = function (this: unknown, ...args: Parameters<typeof commitOffsets>) {
    return commits.trace<Promise<void>>(() => args[0], commitOffsets, this, args);
  } as typeof commitOffsets;
  commits.follow(consumer);
  followLag(consumer, new ConsumerLag(telemetry, handlers.plans), telemetry);
  return consumer;
}

/** The handlers of one consumer, wrapped. */
export class Handlers {
  readonly plans: TopicPlans;
  private readonly batchPlans: TopicPlans;

  constructor(
    client: ClientFacts,
    private readonly telemetry: Telemetry,
    private readonly formats: Formats<MessageReader<KafkaMessage>>,
    private readonly commits: Commits,
    /** Absent where the client tells of its lag by events. */
    private readonly positions?: Positions,
  ) {
    this.plans = new TopicPlans(telemetry, client, processFacts);
    this.batchPlans = new TopicPlans(telemetry, client, batchProcessFacts);
  }

  /** A copy of the configuration with wrapped handlers, also while nothing is recorded: a consumer may live to see it. */
  inside(config: ConsumerRunConfig | undefined): ConsumerRunConfig | undefined {
    if (config === undefined || config === null) return config;
    const { eachMessage, eachBatch } = config;
    const changes: { eachMessage?: typeof eachMessage; eachBatch?: typeof eachBatch } = {};
    if (typeof eachMessage === 'function') changes.eachMessage = this.eachMessage(eachMessage);
    if (typeof eachBatch === 'function') changes.eachBatch = this.eachBatch(eachBatch);
    return copyOf(config, RUN_PROPERTIES, changes);
  }

  eachMessage(handler: AnyFunction): NonNullable<ConsumerRunConfig['eachMessage']> {
    const { telemetry, plans, formats, positions } = this;
    const awaited = asNativePromise(handler);
    return function eachMessage(this: unknown, payload: EachMessagePayload) {
      if (!telemetry.isOn()) return handler.call(this, payload);
      const { topic, partition, message } = payload;
      const plan = plans.of(topic, partition);
      positions?.delivered(plan, topic, partition, message.offset);
      const operation = telemetry.startProcess(plan, message as KafkaMessage, formats.of(topic));
      if (operation === undefined) return handler.call(this, payload);
      return operation.handle(AWAITED, awaited, this, payload);
    };
  }

  eachBatch(handler: AnyFunction): NonNullable<ConsumerRunConfig['eachBatch']> {
    const { telemetry, plans, batchPlans, formats, commits, positions } = this;
    const awaited = asNativePromise(handler);
    return function eachBatch(this: unknown, payload: EachBatchPayload) {
      if (!telemetry.isOn()) return handler.call(this, payload);
      const { topic, partition, messages } = payload.batch;
      const operation = telemetry.startBatchProcess(
        batchPlans.of(topic, partition),
        messages as KafkaMessage[],
        formats.of(topic),
        plans.of(topic, partition),
      );
      if (operation === undefined) return handler.call(this, payload);
      positions?.delivered(plans.of(topic, partition), topic, partition, messages[messages.length - 1]?.offset);
      const given = telemetry.guard('follow a batch', payload, () => followed(payload, operation, telemetry, commits));
      return operation.handle(awaited, this, given);
    };
  }
}

/**
 * The handler, with promises of other makes (Bluebird's) turned into native ones, whose end can be watched.
 * Nobody but kafkajs sees what a handler returns, and kafkajs only awaits it.
 */
function asNativePromise(handler: AnyFunction): AnyFunction {
  return function awaited(this: unknown, payload: unknown) {
    const result = handler.call(this, payload);
    if (result === undefined || isObservable(result) || typeof result?.then !== 'function') return result;
    return Promise.resolve(result);
  };
}
