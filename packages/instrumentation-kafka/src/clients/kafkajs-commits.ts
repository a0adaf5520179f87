/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  type AnyFunction,
  BoundedMap,
  isObservable,
  type SettleOperation,
  semconv,
  type Telemetry,
} from '@otel-messaging/messaging-common';
import type { Consumer, ConsumerCommitOffsetsEvent, OffsetsByTopicPartition } from 'kafkajs';
import { safeInteger } from '../message';
import { type ClientFacts, commitFacts, TopicPlans } from '../operations';

/** Where a partition is to be read on. */
export interface Position {
  readonly topic: string;
  readonly partition: number;
  /** Decimal in kafkajs and its like, a number in librdkafka's API. */
  readonly offset: string | number;
}

/** `OffsetCommit`. @see https://kafka.apache.org/protocol#protocol_api_keys */
const OFFSET_COMMIT = 8;

/** The `commit` spans of one consumer group's client. */
export class Commits {
  private readonly plans: TopicPlans;
  /** Calls of the application's that are under way. */
  private open = 0;
  private lastTookMs = 0;

  constructor(
    client: ClientFacts,
    private readonly telemetry: Telemetry,
  ) {
    this.plans = new TopicPlans(telemetry, client, commitFacts);
  }

  /** Calls a method that commits these positions; undefined where what it commits is not known, which traces nothing. */
  trace<T>(positions: () => readonly Position[] | undefined, method: AnyFunction, target: unknown, args: unknown[]): T {
    const { telemetry } = this;
    if (!this.isWanted()) return method.apply(target, args);
    const what = telemetry.guard('describe a commit', undefined, () => committed(positions()));
    const operation = what && this.start(what);
    if (what === undefined || operation === undefined) return method.apply(target, args);
    return operation.trace(this.counted(method), () => outcomeOf(what), target, ...args) as T;
  }

  /** Makes spans also of what kafkajs commits by itself, when it says that it has. */
  follow(consumer: Consumer): void {
    const { events } = consumer;
    consumer.on(events.REQUEST, ({ payload: { apiKey, duration } }) => {
      if (apiKey === OFFSET_COMMIT) this.lastTookMs = duration;
    });
    consumer.on(events.COMMIT_OFFSETS, ({ payload }) => {
      if (this.open > 0 || !this.isWanted()) return;
      this.telemetry.guard('trace a commit', undefined, () => this.made(payload));
    });
  }

  /** The method, counted as open until its promise settles: what is committed meanwhile has a span already. */
  private counted(method: AnyFunction): AnyFunction {
    const commits = this;
    const close = () => {
      commits.open--;
    };
    return function counted(this: unknown, ...args: unknown[]) {
      const promise = method.apply(this, args);
      if (!isObservable(promise)) return promise;
      commits.open++;
      promise.then(close, close);
      return promise;
    };
  }

  private made({ topics }: ConsumerCommitOffsetsEvent['payload']): void {
    const what = committed(positionsOf({ topics }));
    if (what === undefined) return;
    this.start(what, this.lastTookMs)?.end(outcomeOf(what));
  }

  private isWanted(): boolean {
    return this.telemetry.isOn() && this.telemetry.config.settleSpans;
  }

  private start({ topic, partition }: Committed, tookMs?: number): SettleOperation | undefined {
    return this.telemetry.startSettle(this.plans.of(topic, partition), { creations: [], tookMs });
  }
}

/** The `commit` spans of a producer's transactions, which name the group themselves. */
export class GroupCommits {
  private readonly groups = new BoundedMap<string | undefined, Commits>(MAX_GROUPS);

  constructor(
    private readonly client: ClientFacts,
    private readonly telemetry: Telemetry,
  ) {}

  /** @param read finds the group in what the application gave; may throw */
  of(read: () => string | undefined): Commits {
    const { client, telemetry, groups } = this;
    const groupId = telemetry.guard('describe a commit', undefined, read);
    return groups.get(groupId) ?? groups.add(groupId, new Commits({ ...client, groupId }, telemetry));
  }
}

const MAX_GROUPS = 100;

/** Positions in the form that most calls take them. */
export function positionsOf({ topics }: OffsetsByTopicPartition): Position[] {
  return topics.flatMap(({ topic, partitions }) => partitions.map((position) => ({ topic, ...position })));
}

/** What all positions of one commit have in common. */
interface Committed {
  readonly topic: string | undefined;
  readonly partition: number | undefined;
  readonly offset: number | undefined;
}

/** Undefined for nothing, and for what is no list of positions. */
export function committed(positions: readonly Position[] | undefined): Committed | undefined {
  const first = positions?.[0];
  if (positions === undefined || first === undefined || typeof first.topic !== 'string') return undefined;
  const { topic, partition, offset } = first;
  const isOneTopic = positions.every((other) => other.topic === topic);
  const isOnePartition = isOneTopic && positions.every((other) => other.partition === partition);
  return {
    topic: isOneTopic ? topic : undefined,
    partition: isOnePartition ? partition : undefined,
    offset: positions.length === 1 ? safeInteger(String(offset)) : undefined,
  };
}

/** What a commit's span says once it is over. */
export function outcomeOf({ offset }: Committed) {
  return { attributes: { [semconv.ATTR_KAFKA_OFFSET]: offset } };
}
