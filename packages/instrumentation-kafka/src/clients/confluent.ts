/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { AnyFunction } from '@otel-messaging/messaging-common';
import type { OffsetsByTopicPartition } from 'kafkajs';
import { DeliveredFormat } from '../message';
import type { ClientFacts } from '../operations';
import { deliveredFormats, outgoingFormats } from '../retry-format';
import { BATCH, ConfluentFormat, handlersOf, RECORD } from './confluent-records';
import { Commits, GroupCommits, positionsOf } from './kafkajs-commits';
import { Handlers } from './kafkajs-consumer';
import { Sends } from './kafkajs-producer';
import { Positions, type Watermarks, weakly } from './rdkafka-lag';
import { clientFactsOf, type RdClient, type RdKafkaScope } from './rdkafka-scope';

/** The class `Kafka` of Confluent's API in the manner of kafkajs. */
export interface ConfluentKafkaClass {
  readonly prototype: object;
}

/**
 * Traces messages through the API in the manner of kafkajs. Its classes of clients are not exported, and a consumer may
 * outlive the switch that was off when it began to run: as with kafkajs, each new client's own methods are wrapped.
 */
export function patchConfluent({ prototype }: ConfluentKafkaClass, scope: RdKafkaScope): void {
  const { telemetry, options, topics } = scope;
  const outgoing = outgoingFormats(new ConfluentFormat(options), topics);
  const delivered = deliveredFormats(new DeliveredFormat(options), topics);
  const producers = new Clients(scope, (client) => {
    return { sends: new Sends(client, telemetry, outgoing), commits: new GroupCommits(client, telemetry) };
  });
  const consumers = new Clients(scope, (client, inner) => {
    const commits = new Commits(client, telemetry);
    const positions = inner && new Positions(telemetry, weakly(inner));
    return { handlers: new Handlers(client, telemetry, delivered, commits, positions), commits };
  });
  const patchClient = {
    producer: (client: object) => patchProducer(client, producers, scope),
    consumer: (client: object) => patchConsumer(client, consumers, scope),
  };
  for (const name of ['producer', 'consumer'] as const) {
    const isTraced = scope.wrap(prototype, name, (original) => {
      return function (this: unknown, ...args: unknown[]): unknown {
        const created = original.apply(this, args);
        telemetry.guard(`trace a ${name}`, undefined, () => patchClient[name](created));
        return created;
      };
    });
    if (!isTraced) scope.standDown();
  }
}

/** A producer or consumer; works with a client of librdkafka's other API, from `connect` on. */
interface ConfluentClient {
  _getInternalClient?(): (RdClient & Watermarks) | null;
}

/** What is kept of each client. */
class Clients<State> {
  private readonly states = new WeakMap<object, State>();

  constructor(
    private readonly scope: RdKafkaScope,
    private readonly make: (client: ClientFacts, inner?: RdClient & Watermarks) => State,
  ) {}

  known(client: ConfluentClient): State | undefined {
    return this.states.get(client);
  }

  of(client: ConfluentClient): State {
    const known = this.known(client);
    if (known !== undefined) return known;
    const inner = client._getInternalClient?.() ?? undefined;
    if (inner === undefined) return this.make({}); // not connected: the call will fail
    this.scope.inner.add(inner);
    const state = this.make(clientFactsOf(inner), inner);
    this.states.set(client, state);
    return state;
  }
}

/** Not by assignment, which would show in what enumerates the client. */
function wrapOwn(client: object, name: string, wrapper: (original: AnyFunction) => AnyFunction): void {
  const original = (client as Record<string, unknown>)[name];
  if (typeof original !== 'function') return;
  Object.defineProperty(client, name, { value: wrapper(original as AnyFunction), configurable: true, writable: true });
}

/** What the inner client does is the outer one's, whose calls have the spans. */
function patchConnect(target: object, clients: Clients<unknown>, { telemetry }: RdKafkaScope): void {
  wrapOwn(target, 'connect', (original) => {
    return function connect(this: ConfluentClient, ...args: unknown[]) {
      const connecting = original.apply(this, args);
      telemetry.guard('trace a client', undefined, () => clients.of(this));
      return connecting;
    };
  });
}

interface ProducerState {
  readonly sends: Sends;
  readonly commits: GroupCommits;
}

function patchProducer(target: object, producers: Clients<ProducerState>, scope: RdKafkaScope): void {
  const { telemetry } = scope;
  patchConnect(target, producers, scope);
  patchSendOffsets(target, producers, scope);
  const named = (error: unknown) => scope.named(error);
  // `sendBatch` calls `send` for each topic, before it first waits for anything.
  let isInside = false;
  for (const [name, shape] of [['send', RECORD] as const, ['sendBatch', BATCH] as const]) {
    wrapOwn(target, name, (original) => {
      const inside = function (this: unknown, ...args: unknown[]) {
        isInside = true;
        try {
          return original.apply(this, args);
        } finally {
          isInside = false;
        }
      };
      return function (this: ConfluentClient, ...args: [never]) {
        if (isInside || !telemetry.isOn()) return original.apply(this, args);
        const state = producers.known(this) ?? telemetry.guard('trace a producer', undefined, () => producers.of(this));
        if (state === undefined) return original.apply(this, args);
        return state.sends.trace<never>({ original: inside, sender: this, args, shape: shape as never, named });
      };
    });
  }
}

/** What `sendOffsets` takes: kafkajs's argument, but the consumer itself in place of the name of its group. */
interface SentOffsets {
  readonly consumer?: ConfluentClient;
  readonly consumerGroupId?: unknown;
  readonly topics: OffsetsByTopicPartition['topics'];
}

/** A producer is its own transaction. */
function patchSendOffsets(target: object, producers: Clients<ProducerState>, { telemetry }: RdKafkaScope): void {
  wrapOwn(target, 'sendOffsets', (original) => {
    return function sendOffsets(this: ConfluentClient, ...args: [SentOffsets]) {
      const commits = telemetry.guard('describe a commit', undefined, () => producers.of(this).commits);
      if (commits === undefined) return original.apply(this, args);
      const group = commits.of(() => clientFactsOf(args[0]?.consumer?._getInternalClient?.() ?? {}).groupId);
      return group.trace(() => acceptable(args[0]), original, this, args);
    };
  });
}

/** Undefined for what the client will refuse. */
function acceptable(offsets: SentOffsets) {
  return offsets.consumerGroupId || !offsets.consumer ? undefined : positionsOf(offsets);
}

interface ConsumerState {
  readonly handlers: Handlers;
  readonly commits: Commits;
}

function patchConsumer(target: object, consumers: Clients<ConsumerState>, scope: RdKafkaScope): void {
  const { telemetry } = scope;
  patchConnect(target, consumers, scope);
  wrapOwn(target, 'run', (original) => {
    return function run(this: ConfluentClient, ...args: unknown[]) {
      const config = telemetry.guard('wrap the handler of a consumer', args[0], () =>
        handlersOf(args[0], () => consumers.of(this).handlers),
      );
      return config === args[0] ? original.apply(this, args) : original.call(this, config);
    };
  });
  wrapOwn(target, 'commitOffsets', (original) => {
    return function commitOffsets(this: ConfluentClient, ...args: unknown[]) {
      const commits = telemetry.guard('describe a commit', undefined, () => consumers.of(this).commits);
      if (commits === undefined) return original.apply(this, args);
      // Without an argument it commits whatever was processed.
      return commits.trace(() => args[0] as never, original, this, args);
    };
  });
}
