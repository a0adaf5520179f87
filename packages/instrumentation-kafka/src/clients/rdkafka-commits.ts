/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { AnyFunction } from '@otel-messaging/messaging-common';
import { commitFacts, TopicPlans } from '../operations';
import { committed, outcomeOf, type Position } from './kafkajs-commits';
import { clientFactsOf, type RdClient, type RdKafkaScope } from './rdkafka-scope';

type Positions = Position | readonly Position[] | null | undefined;

/** What the arguments of one call say; read before it is known whether they are as they should be. */
interface Commit {
  readonly positions: Positions;
  /** Whose group it is. */
  readonly consumer: RdClient;
  /** Index of the callback, if there is one. */
  readonly callbackAt: number;
}

type Describe = (client: RdClient, args: readonly unknown[]) => Commit;

/** Wraps all by which a consumer commits offsets; spans are made of them with the option `settleSpans` only. */
export function patchCommits(prototype: object, scope: RdKafkaScope): void {
  const commits = new Commits(scope);
  const patch = (name: string, positionsOf: (argument: unknown) => Positions) => {
    scope.wrap(prototype, name, (original) =>
      commits.traced(original, (consumer, [first]) => ({ positions: positionsOf(first), consumer, callbackAt: 1 })),
    );
  };
  for (const name of ['commit', 'commitSync', 'commitCb']) patch(name, (offsets) => offsets as Positions);
  for (const name of ['commitMessage', 'commitMessageSync']) patch(name, (message) => after(message as Position));
}

/** The same for what a producer commits for a consumer, together with its transaction. */
export function patchSendOffsets(prototype: object, scope: RdKafkaScope): void {
  const commits = new Commits(scope);
  const describe: Describe = (_producer, [offsets, consumer, timeoutMs]) => ({
    positions: offsets as Positions,
    consumer: consumer as RdClient,
    callbackAt: typeof timeoutMs === 'function' ? 2 : 3,
  });
  scope.wrap(prototype, 'sendOffsetsToTransaction', (original) => commits.traced(original, describe));
}

/** What is committed of a message: the offset of the next one. */
function after({ topic, partition, offset }: Position): Position {
  return { topic, partition, offset: Number(offset) + 1 };
}

class Commits {
  /** By the client that commits, and the consumer that it commits for. */
  private readonly plans = new WeakMap<object, WeakMap<object, TopicPlans>>();

  constructor(private readonly scope: RdKafkaScope) {}

  traced(original: AnyFunction, describe: Describe): AnyFunction {
    const { scope } = this;
    const start = (client: RdClient, args: readonly unknown[]) => this.start(client, () => describe(client, args));
    return function (this: RdClient, ...args: unknown[]) {
      const commit = start(this, args);
      if (commit === undefined) return original.apply(this, args);
      const { operation, outcome, callbackAt } = commit;
      const callback = args[callbackAt];
      const changed = [...args];
      if (typeof callback === 'function') {
        changed[callbackAt] = function (this: unknown, ...answer: unknown[]) {
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

  private start(client: RdClient, describe: () => Commit) {
    const { telemetry } = this.scope;
    if (!telemetry.isOn() || !telemetry.config.settleSpans || this.scope.isInner(client)) return undefined;
    return telemetry.guard('describe a commit', undefined, () => {
      const { positions, consumer, callbackAt } = describe();
      const all = positions ?? [];
      const common = committed(Array.isArray(all) ? all : [all as Position]);
      // What is committed without naming it, nobody knows here.
      if (common === undefined) return undefined;
      const plan = this.plansOf(client, consumer).of(common.topic, common.partition);
      const operation = telemetry.startSettle(plan, { creations: [] });
      return operation && { operation, outcome: outcomeOf(common), callbackAt };
    });
  }

  private plansOf(client: RdClient, consumer: RdClient): TopicPlans {
    const plans = this.plans.get(client) ?? new WeakMap<object, TopicPlans>();
    this.plans.set(client, plans);
    let own = plans.get(consumer);
    if (own === undefined) {
      const { groupId } = clientFactsOf(consumer);
      own = new TopicPlans(this.scope.telemetry, { ...clientFactsOf(client), groupId }, commitFacts);
      plans.set(consumer, own);
    }
    return own;
  }
}
