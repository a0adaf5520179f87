/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { AnyFunction } from '@otel-messaging/messaging-common';
import { deliveredFormats } from '../retry-format';
import { ADDING } from './data-listeners';
import { patchCommits } from './rdkafka-commits';
import { Deliveries } from './rdkafka-deliveries';
import { Positions, type Watermarks, weakly } from './rdkafka-lag';
import { RdFormat } from './rdkafka-message';
import { ByTopic, Polls } from './rdkafka-polls';
import { type ClientClass, clientFactsOf, type RdClient, type RdKafkaScope } from './rdkafka-scope';

interface RdConsumer extends RdClient, Watermarks {
  listenerCount(event: string): number;
}

interface ConsumerState {
  readonly deliveries: Deliveries;
  readonly polls: Polls;
}

/** Wraps what hands messages to the application: listeners of 'data', and the two kinds of callback of `consume`. */
export function patchConsumerClass({ prototype }: ClientClass, scope: RdKafkaScope): boolean {
  const { telemetry } = scope;
  const format = new RdFormat(scope.options);
  const formats = deliveredFormats(format, scope.topics);
  const states = new WeakMap<object, ConsumerState>();
  const stateOf = (consumer: RdConsumer): ConsumerState => {
    let state = states.get(consumer);
    if (state === undefined) {
      const client = clientFactsOf(consumer);
      const positions = new Positions(telemetry, weakly(consumer));
      state = {
        deliveries: new Deliveries(consumer, client, scope, formats, positions),
        polls: new Polls(client, scope, new ByTopic(format, formats), positions),
      };
      states.set(consumer, state);
    }
    return state;
  };
  /** Undefined where another API makes the spans, and for what fails in ours. */
  const find = (consumer: RdConsumer) =>
    scope.isInner(consumer) ? undefined : telemetry.guard('trace a consumer', undefined, () => stateOf(consumer));

  const isTraced = scope.wrap(prototype, 'consume', (original) => {
    return function consume(this: RdConsumer, ...args: unknown[]) {
      const [first, second] = args;
      if (typeof first === 'number' && first > 0) {
        // With listeners of 'data' those are the handlers, and the callback only hears that a poll is over.
        const isPoll =
          telemetry.isOn() &&
          typeof second === 'function' &&
          this.listenerCount('data') === 0 &&
          !scope.streaming.has(this);
        const state = isPoll ? find(this) : undefined;
        return state === undefined ? original.apply(this, args) : state.polls.poll(original, this, args);
      }
      // A flow without end. Where there is no number, the callback may come first.
      const at = typeof first === 'function' && second === undefined ? 0 : 1;
      const handler = args[at];
      const state = typeof handler === 'function' && (at === 0 || !first) ? find(this) : undefined;
      if (state === undefined) return original.apply(this, args);
      const changed = [...args];
      changed[at] = state.deliveries.callback(handler as AnyFunction);
      return original.apply(this, changed);
    };
  });
  for (const name of ADDING) {
    scope.wrap(prototype, name, (original) => {
      return function (this: RdConsumer, ...args: unknown[]) {
        const [event, listener] = args;
        const state = event === 'data' && typeof listener === 'function' ? find(this) : undefined;
        if (state === undefined) return original.apply(this, args);
        return original.call(this, event, state.deliveries.listeners.wrap(listener as AnyFunction));
      };
    });
  }
  patchCommits(prototype, scope);
  return isTraced;
}
