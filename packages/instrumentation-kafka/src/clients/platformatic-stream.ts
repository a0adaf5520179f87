/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type AnyFunction, followAsyncIteration, type ProcessOperation } from '@otel-messaging/messaging-common';
import { processFacts, TopicPlans } from '../operations';
import { ADDING, DataListeners } from './data-listeners';
import { clientFactsOf, type PltClient } from './platformatic-client';
import { PltFormat, type PltMessage } from './platformatic-message';
import type { Scope } from './scope';

interface PltStream {
  readonly consumer: PltClient;
}

/** Emitters ignore what a listener returns. */
const DROPPED = { endsAtSettlement: false, dropsPromise: true } as const;

/** Wraps the two ways in which an application takes messages from a stream: `for await`, and listeners of 'data'. */
export function patchStream(prototype: object, scope: Scope): boolean {
  const known = new WeakMap<object, Taking>();
  const find = (stream: PltStream): Taking => {
    let taking = known.get(stream);
    if (taking === undefined) {
      taking = new Taking(stream.consumer, scope);
      known.set(stream, taking);
    }
    return taking;
  };
  const isTraced = scope.wrap(prototype, Symbol.asyncIterator, (original) => {
    return function (this: PltStream, ...args: unknown[]) {
      const iterator = original.apply(this, args);
      const taking = scope.telemetry.guard('follow a stream', undefined, () => find(this));
      if (taking === undefined) return iterator;
      return followAsyncIteration<PltMessage>(iterator, (message) => taking.begin(message));
    };
  });
  for (const name of ADDING) {
    scope.wrap(prototype, name, (original) => {
      return function (this: PltStream, ...args: unknown[]) {
        const [event, listener] = args;
        const isHandler = event === 'data' && typeof listener === 'function';
        const taking = isHandler ? scope.telemetry.guard('follow a stream', undefined, () => find(this)) : undefined;
        if (taking === undefined) return original.apply(this, args);
        return original.call(this, event, taking.listeners.wrap(listener as AnyFunction));
      };
    });
  }
  return isTraced;
}

/** How the messages of one stream are taken. */
class Taking {
  readonly listeners = new DataListeners((...call) => this.handle(...call));
  private readonly plans: TopicPlans;
  private readonly format: PltFormat;

  constructor(
    consumer: PltClient,
    private readonly scope: Scope,
  ) {
    this.plans = new TopicPlans(scope.telemetry, clientFactsOf(consumer), processFacts);
    this.format = new PltFormat(scope.options, { namesAreBytes: false, valuesAreBytes: false }, false);
  }

  begin(message: PltMessage): ProcessOperation<PltMessage> | undefined {
    const { telemetry } = this.scope;
    if (!telemetry.isOn() || typeof message !== 'object' || message === null) return undefined;
    const { topic, partition } = message;
    const plan = telemetry.guard('describe a delivery', undefined, () => this.plans.of(topic, partition));
    return plan && telemetry.startProcess(plan, message, this.format);
  }

  private handle(listener: AnyFunction, thisArg: unknown, args: unknown[], message: unknown): unknown {
    const operation = this.begin(message as PltMessage);
    if (operation === undefined) return listener.apply(thisArg, args);
    return operation.handle(DROPPED, listener, thisArg, ...args);
  }
}
