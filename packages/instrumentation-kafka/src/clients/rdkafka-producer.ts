/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { AnyFunction, MessageWriter, SendOperation } from '@otel-messaging/messaging-common';
import { sendFacts, TopicPlans } from '../operations';
import { type Formats, outgoingFormats } from '../retry-format';
import { patchSendOffsets } from './rdkafka-commits';
import { DeliveryReports } from './rdkafka-delivery';
import { type HeaderList, RdFormat, type RdMessage } from './rdkafka-message';
import { type ClientClass, clientFactsOf, type RdClient, type RdKafkaScope } from './rdkafka-scope';

/** What is read of a producer. */
interface RdProducer extends RdClient {
  readonly defaultPartition?: number;
}

type ProduceArguments = [
  topic: string,
  partition: number | null | undefined,
  value: Buffer | null,
  key?: Buffer | string | null,
  timestamp?: number | null,
  opaque?: unknown,
  headers?: HeaderList,
];

/** Wraps `produce`, the one door to librdkafka that every other way to send comes through. */
export function patchProducerClass({ prototype }: ClientClass, scope: RdKafkaScope): boolean {
  const formats = outgoingFormats(new RdFormat(scope.options), scope.topics);
  const states = new WeakMap<object, ProducerState>();
  const stateOf = (producer: RdProducer): ProducerState => {
    const state = new ProducerState(producer, scope, formats);
    states.set(producer, state);
    return state;
  };
  patchSendOffsets(prototype, scope);
  return scope.wrap(prototype, 'produce', (original) => {
    return function produce(this: RdProducer, ...args: ProduceArguments) {
      if (!scope.telemetry.isOn() || scope.inner.has(this)) return original.apply(this, args);
      const state = states.get(this) ?? scope.telemetry.guard('trace a producer', undefined, () => stateOf(this));
      return state === undefined ? original.apply(this, args) : state.produce(original, this, args);
    };
  });
}

/** The sends of one producer. */
class ProducerState {
  private readonly plans: TopicPlans;
  private readonly reports: DeliveryReports | undefined;

  constructor(
    producer: RdProducer,
    private readonly scope: RdKafkaScope,
    private readonly formats: Formats<MessageWriter<RdMessage>>,
  ) {
    this.plans = new TopicPlans(scope.telemetry, clientFactsOf(producer), sendFacts);
    const isReported = typeof producer._cb_configs?.event?.delivery_cb === 'function';
    this.reports = isReported ? DeliveryReports.of(producer, scope) : undefined;
  }

  /** Never inside the span's context: nothing in there makes spans of its own. */
  produce(original: AnyFunction, producer: RdProducer, args: ProduceArguments): unknown {
    const operation = this.start(producer, args);
    if (operation === undefined) return original.apply(producer, args);
    const changed = this.argumentsWith(operation, args);
    let result: unknown;
    try {
      result = original.apply(producer, changed);
    } catch (error) {
      this.reports?.forget(changed[OPAQUE]);
      operation.fail(this.scope.named(error));
      throw error;
    }
    // Without reports nobody will ever say how it went.
    if (this.reports?.isWaitingFor(changed[OPAQUE]) !== true) operation.end();
    return result;
  }

  private start(producer: RdProducer, args: ProduceArguments): SendOperation<RdMessage> | undefined {
    const { telemetry } = this.scope;
    try {
      const [topic, partition, value, key, timestamp, , headers] = args;
      if (typeof topic !== 'string' || topic === '' || (value !== null && !Buffer.isBuffer(value))) return undefined;
      const message: RdMessage = { topic, partition, value, key, timestamp, headers };
      const plan = this.plans.of(topic, chosen(partition ?? producer.defaultPartition));
      return telemetry.startSend(plan, message, this.formats.of(topic));
    } catch (error) {
      telemetry.report('describe a message', error);
      return undefined;
    }
  }

  /** Whether anything would be recorded of how the message fares. */
  private isFollowed({ span }: SendOperation<RdMessage>): boolean {
    if (this.reports === undefined) return false;
    return span?.isRecording() === true || this.scope.telemetry.signals.instruments !== undefined;
  }

  /** The arguments with headers that carry the context, and with an opaque value that finds the operation again. */
  private argumentsWith(operation: SendOperation<RdMessage>, args: ProduceArguments): ProduceArguments {
    // What was left out is passed on as undefined: the client does not tell the two apart.
    const [topic, partition, value, key, timestamp, opaque] = args;
    const followed = this.isFollowed(operation) ? this.reports?.follow(operation, opaque) : opaque;
    return [topic, partition, value, key, timestamp, followed, operation.message.headers as HeaderList];
  }
}

const OPAQUE = 5;

/** The partition that the application chose; below zero the client chooses. */
function chosen(partition: number | null | undefined): number | undefined {
  return Number.isSafeInteger(partition) && (partition as number) >= 0 ? (partition as number) : undefined;
}
