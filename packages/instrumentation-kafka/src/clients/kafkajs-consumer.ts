/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type AnyFunction, isObservable, semconv, type Telemetry } from '@otel-messaging/messaging-common';
import type { Consumer, ConsumerRunConfig, EachBatchPayload, EachMessagePayload } from 'kafkajs';
import { copyOf } from '../copy';
import { type DeliveredFormat, type KafkaMessage, safeInteger } from '../message';
import { batchProcessFacts, type ClientFacts, commitFacts, processFacts, TopicPlans } from '../operations';

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
  format: DeliveredFormat,
): Consumer {
  const { run, commitOffsets } = consumer;
  const handlers = new Handlers(client, telemetry, format);

  consumer.run = function (this: unknown, ...args: Parameters<typeof run>) {
    const config = telemetry.guard('wrap the handler of a consumer', args[0], () => handlers.inside(args[0]));
    return config === args[0] ? run.apply(this, args) : run.call(this, config);
  };
  const commits = new TopicPlans(telemetry, client, commitFacts);
  consumer.commitOffsets = function (this: unknown, ...args: Parameters<typeof commitOffsets>) {
    if (!telemetry.isOn() || !telemetry.config.settleSpans) return commitOffsets.apply(this, args);
    const offsets = telemetry.guard('describe a commit', undefined, () => committed(args[0]));
    const operation = offsets && telemetry.startSettle(commits.of(offsets.topic, offsets.partition), { creations: [] });
    if (operation === undefined) return commitOffsets.apply(this, args);
    const outcome = { attributes: { [semconv.ATTR_KAFKA_OFFSET]: offsets?.offset } };
    return operation.trace<Parameters<typeof commitOffsets>, void>(commitOffsets, () => outcome, this, ...args);
  } as typeof commitOffsets;
  return consumer;
}

/** What the offsets of one commit have in common. */
function committed(offsets: Parameters<Consumer['commitOffsets']>[0]) {
  const [first] = offsets;
  if (first === undefined || typeof first.topic !== 'string') return undefined;
  const { topic, partition, offset } = first;
  const isOneTopic = offsets.every((other) => other.topic === topic);
  const isOnePartition = isOneTopic && offsets.every((other) => other.partition === partition);
  return {
    topic: isOneTopic ? topic : undefined,
    partition: isOnePartition ? partition : undefined,
    offset: offsets.length === 1 ? safeInteger(String(offset)) : undefined,
  };
}

/** The handlers of one consumer, wrapped. */
class Handlers {
  private readonly plans: TopicPlans;
  private readonly batchPlans: TopicPlans;

  constructor(
    client: ClientFacts,
    private readonly telemetry: Telemetry,
    private readonly format: DeliveredFormat,
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

  private eachMessage(handler: AnyFunction): NonNullable<ConsumerRunConfig['eachMessage']> {
    const { telemetry, plans, format } = this;
    const awaited = asNativePromise(handler);
    return function eachMessage(this: unknown, payload: EachMessagePayload) {
      if (!telemetry.isOn()) return handler.call(this, payload);
      const operation = telemetry.startProcess(
        plans.of(payload.topic, payload.partition),
        payload.message as KafkaMessage,
        format,
      );
      if (operation === undefined) return handler.call(this, payload);
      return operation.handle(AWAITED, awaited, this, payload);
    };
  }

  private eachBatch(handler: AnyFunction): NonNullable<ConsumerRunConfig['eachBatch']> {
    const { telemetry, plans, batchPlans, format } = this;
    const awaited = asNativePromise(handler);
    return function eachBatch(this: unknown, payload: EachBatchPayload) {
      if (!telemetry.isOn()) return handler.call(this, payload);
      const { topic, partition, messages } = payload.batch;
      const operation = telemetry.startBatchProcess(
        batchPlans.of(topic, partition),
        messages as KafkaMessage[],
        format,
        plans.of(topic, partition),
      );
      if (operation === undefined) return handler.call(this, payload);
      return operation.handle(awaited, this, payload);
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
