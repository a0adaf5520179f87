/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { AnyFunction, MessageFacts, MessageReader, ReceiveOperation } from '@otel-messaging/messaging-common';
import { type ClientFacts, pollFacts, processFacts, TopicPlans } from '../operations';
import type { Formats } from '../retry-format';
import type { Positions } from './rdkafka-lag';
import type { RdFormat, RdMessage } from './rdkafka-message';
import type { RdKafkaScope } from './rdkafka-scope';

/** The calls by which one consumer asks for a number of messages. */
export class Polls {
  private readonly plans: TopicPlans;
  private readonly processPlans: TopicPlans;

  constructor(
    client: ClientFacts,
    private readonly scope: RdKafkaScope,
    private readonly format: MessageReader<RdMessage>,
    private readonly positions: Positions,
  ) {
    this.plans = new TopicPlans(scope.telemetry, client, pollFacts);
    this.processPlans = new TopicPlans(scope.telemetry, client, processFacts);
  }

  /** @param args a number and a callback */
  poll(original: AnyFunction, consumer: unknown, args: unknown[]): unknown {
    const operation = this.scope.telemetry.startReceive(this.plans.of(undefined));
    if (operation === undefined) return original.apply(consumer, args);
    const polls = this;
    const callback = args[1] as AnyFunction;
    const changed = [...args];
    changed[1] = function (this: unknown, ...answer: unknown[]) {
      polls.end(operation, answer);
      return callback.apply(this, answer);
    };
    try {
      return original.apply(consumer, changed);
    } catch (error) {
      operation.fail(this.scope.named(error));
      throw error;
    }
  }

  private end(operation: ReceiveOperation, [error, messages]: unknown[]): void {
    if (error) {
      operation.fail(this.scope.named(error));
      return;
    }
    operation.guarded('read the answer of a poll', () => {
      const delivered = messages as RdMessage[];
      if (!Array.isArray(delivered) || delivered.length === 0) return;
      const planOf = ({ topic, partition }: RdMessage) => this.processPlans.of(topic, partition ?? undefined);
      operation.refine(this.planOf(delivered));
      operation.endWithMessages(delivered, this.format, planOf);
      for (let i = 0; i < delivered.length; i++) {
        const message = delivered[i] as RdMessage;
        this.positions.delivered(planOf(message), message.topic, message.partition, message.offset);
      }
    });
    operation.end();
  }

  /** What the messages of one answer have in common. */
  private planOf(messages: readonly RdMessage[]) {
    const { topic, partition } = messages[0] as RdMessage;
    for (let i = 1; i < messages.length; i++) {
      if (messages[i]?.topic !== topic) return this.plans.of(undefined);
    }
    const isOnePartition = messages.every((message) => message.partition === partition);
    return this.plans.of(topic, isOnePartition ? (partition ?? undefined) : undefined);
  }
}

/** Reads messages of one answer, each as one of its topic. */
export class ByTopic implements MessageReader<RdMessage> {
  constructor(
    private readonly format: RdFormat,
    private readonly formats: Formats<MessageReader<RdMessage>>,
  ) {}

  get(message: RdMessage, field: string): string | undefined {
    return this.format.get(message, field);
  }

  keys(message: RdMessage): string[] {
    return this.format.keys(message);
  }

  describe(message: RdMessage): MessageFacts {
    return this.formats.of(message.topic).describe(message);
  }

  sentAtMs(message: RdMessage): number | undefined {
    return this.format.sentAtMs(message);
  }
}
