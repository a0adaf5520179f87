/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { AnyFunction } from '@otel-messaging/messaging-common';
import { commitFacts, TopicPlans } from '../operations';
import { committed, outcomeOf, type Position } from './kafkajs-commits';
import { clientFactsOf, type RdClient, type RdKafkaScope } from './rdkafka-scope';

type Positions = Position | readonly Position[] | null | undefined;

/** Wraps all that commits offsets; spans are made of them with the option `settleSpans` only. */
export function patchCommits(prototype: object, scope: RdKafkaScope): void {
  const commits = new Commits(scope);
  for (const name of ['commit', 'commitSync', 'commitCb']) {
    scope.wrap(prototype, name, (original) => commits.traced(original, (offsets) => offsets as Positions));
  }
  for (const name of ['commitMessage', 'commitMessageSync']) {
    scope.wrap(prototype, name, (original) => commits.traced(original, (message) => after(message as Position)));
  }
}

/** What is committed of a message: the offset of the next one. */
function after({ topic, partition, offset }: Position): Position {
  return { topic, partition, offset: Number(offset) + 1 };
}

class Commits {
  private readonly plans = new WeakMap<object, TopicPlans>();

  constructor(private readonly scope: RdKafkaScope) {}

  /** @param read what the first argument says of positions */
  traced(original: AnyFunction, read: (argument: unknown) => Positions): AnyFunction {
    const { scope } = this;
    const start = (consumer: RdClient, argument: unknown) => this.start(consumer, () => read(argument));
    return function (this: RdClient, ...args: unknown[]) {
      const commit = start(this, args[0]);
      if (commit === undefined) return original.apply(this, args);
      const { operation, outcome } = commit;
      const callback = args[1];
      const changed = [...args];
      if (typeof callback === 'function') {
        changed[1] = function (this: unknown, ...answer: unknown[]) {
          if (answer[0]) operation.fail(scope.named(answer[0]));
          else operation.end(outcome);
          return callback.apply(this, answer);
        };
      }
      try {
        const result = original.apply(this, changed);
        if (typeof callback !== 'function') operation.end(outcome);
        return result;
      } catch (error) {
        operation.fail(scope.named(error));
        throw error;
      }
    };
  }

  private start(consumer: RdClient, read: () => Positions) {
    const { telemetry } = this.scope;
    if (!telemetry.isOn() || !telemetry.config.settleSpans || this.scope.isInner(consumer)) return undefined;
    return telemetry.guard('describe a commit', undefined, () => {
      const positions = read() ?? [];
      const common = committed(Array.isArray(positions) ? positions : [positions as Position]);
      // What is committed without naming it, nobody knows here.
      if (common === undefined) return undefined;
      const operation = telemetry.startSettle(this.plansOf(consumer).of(common.topic, common.partition), {
        creations: [],
      });
      return operation && { operation, outcome: outcomeOf(common) };
    });
  }

  private plansOf(consumer: RdClient): TopicPlans {
    let plans = this.plans.get(consumer);
    if (plans === undefined) {
      plans = new TopicPlans(this.scope.telemetry, clientFactsOf(consumer), commitFacts);
      this.plans.set(consumer, plans);
    }
    return plans;
  }
}
