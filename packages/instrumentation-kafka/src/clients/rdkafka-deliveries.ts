/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { AnyFunction, MessageReader, ProcessOperation } from '@otel-messaging/messaging-common';
import { type ClientFacts, processFacts, TopicPlans } from '../operations';
import type { Formats } from '../retry-format';
import { DataListeners } from './data-listeners';
import type { Positions } from './rdkafka-lag';
import type { RdMessage } from './rdkafka-message';
import type { RdKafkaScope } from './rdkafka-scope';

/** Emitters and callbacks ignore what a handler returns. */
const DROPPED = { endsAtSettlement: false, dropsPromise: true } as const;

/** The messages that one consumer hands over one by one, to listeners of 'data' and to the callback of `consume`. */
export class Deliveries {
  private readonly plans: TopicPlans;
  readonly listeners = new DataListeners((listener, thisArg, args) => this.handle(listener, thisArg, args, args[0]));
  private hasCallback = false;
  /** The latest message, where several are to hear of it: all of them are parts of its one span. */
  private latest: { readonly message: RdMessage; readonly operation: ProcessOperation<RdMessage> } | undefined;

  constructor(
    private readonly consumer: { listenerCount(event: string): number },
    client: ClientFacts,
    private readonly scope: RdKafkaScope,
    private readonly formats: Formats<MessageReader<RdMessage>>,
    private readonly positions: Positions,
  ) {
    this.plans = new TopicPlans(scope.telemetry, client, processFacts);
  }

  /** The callback of a flow, which hears of errors too. */
  callback(handler: AnyFunction): AnyFunction {
    this.hasCallback = true;
    const deliveries = this;
    return function (this: unknown, ...args: unknown[]) {
      return args[0] ? handler.apply(this, args) : deliveries.handle(handler, this, args, args[1]);
    };
  }

  private handle(handler: AnyFunction, thisArg: unknown, args: unknown[], message: unknown): unknown {
    const { telemetry } = this.scope;
    if (!telemetry.isOn() || typeof message !== 'object' || message === null) return handler.apply(thisArg, args);
    if (this.latest?.message === message) return this.latest.operation.run(handler, thisArg, ...args);
    const { topic, partition, offset } = message as RdMessage;
    const plan = this.plans.of(topic, partition ?? undefined);
    this.positions.delivered(plan, topic, partition, offset);
    const operation = telemetry.startProcess(plan, message as RdMessage, this.formats.of(topic));
    if (operation === undefined) return handler.apply(thisArg, args);
    this.latest = this.hasSeveral() ? { message: message as RdMessage, operation } : undefined;
    return operation.handle(DROPPED, handler, thisArg, ...args);
  }

  private hasSeveral(): boolean {
    const listeners = this.consumer.listenerCount('data');
    return listeners > 1 || (listeners === 1 && this.hasCallback);
  }
}
