/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  type AnyFunction,
  followAsyncIteration,
  type MessageReader,
  type ProcessOperation,
} from '@otel-messaging/messaging-common';
import { type ClientFacts, processFacts, TopicPlans } from '../operations';
import type { Formats } from '../retry-format';
import { ADDING, DataListeners } from './data-listeners';
import type { Positions } from './rdkafka-lag';
import type { Scope } from './scope';

/** What all clients' delivered records have. */
interface Delivered {
  readonly topic: string;
  readonly partition?: number | null;
  readonly offset?: unknown;
}

/** What is known of a stream: whose messages it gives, and how they are read. */
export interface StreamFacts<M extends Delivered> {
  readonly client: ClientFacts;
  readonly formats: Formats<MessageReader<M>>;
  /** Absent where the client does not tell how far a partition's records go. */
  readonly positions?: Positions;
}

/** Emitters ignore what a listener returns. */
const DROPPED = { endsAtSettlement: false, dropsPromise: true } as const;

/** Wraps the two ways in which an application takes messages from a stream: `for await`, and listeners of 'data'. */
export function patchStreamClass<S extends object, M extends Delivered>(
  prototype: S,
  scope: Scope,
  describe: (stream: S) => StreamFacts<M>,
): boolean {
  const known = new WeakMap<object, Taking<M>>();
  const find = (stream: S): Taking<M> | undefined =>
    scope.telemetry.guard('follow a stream', undefined, () => {
      let taking = known.get(stream);
      if (taking === undefined) {
        taking = new Taking(describe(stream), scope);
        known.set(stream, taking);
      }
      return taking;
    });
  const isTraced = scope.wrap(prototype, Symbol.asyncIterator, (original) => {
    return function (this: S, ...args: unknown[]) {
      const iterator = original.apply(this, args);
      const taking = find(this);
      if (taking === undefined) return iterator;
      return followAsyncIteration<M>(iterator, (message) => taking.begin(message));
    };
  });
  for (const name of ADDING) {
    scope.wrap(prototype, name, (original) => {
      return function (this: S, ...args: unknown[]) {
        const [event, listener] = args;
        const taking = event === 'data' && typeof listener === 'function' ? find(this) : undefined;
        if (taking === undefined) return original.apply(this, args);
        return original.call(this, event, taking.listeners.wrap(listener as AnyFunction));
      };
    });
  }
  return isTraced;
}

/** How the messages of one stream are taken. */
class Taking<M extends Delivered> {
  readonly listeners = new DataListeners((listener, thisArg, args) => this.handle(listener, thisArg, args));
  private readonly plans: TopicPlans;
  private readonly formats: Formats<MessageReader<M>>;
  private readonly positions: Positions | undefined;

  constructor(
    { client, formats, positions }: StreamFacts<M>,
    private readonly scope: Scope,
  ) {
    this.plans = new TopicPlans(scope.telemetry, client, processFacts);
    this.formats = formats;
    this.positions = positions;
  }

  /** Undefined for what is no single message: streams may give bare values, or lists. */
  begin(message: M): ProcessOperation<M> | undefined {
    const { telemetry } = this.scope;
    if (!telemetry.isOn()) return undefined;
    const plan = telemetry.guard('describe a delivery', undefined, () => {
      const topic: unknown = message?.topic;
      return typeof topic === 'string' ? this.plans.of(topic, message.partition ?? undefined) : undefined;
    });
    if (plan === undefined) return undefined;
    this.positions?.delivered(plan, message.topic, message.partition, message.offset);
    return telemetry.startProcess(plan, message, this.formats.of(message.topic));
  }

  private handle(listener: AnyFunction, thisArg: unknown, args: unknown[]): unknown {
    const operation = this.begin(args[0] as M);
    if (operation === undefined) return listener.apply(thisArg, args);
    return operation.handle(DROPPED, listener, thisArg, ...args);
  }
}
