/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { BoundedMap, type LagSource, type OperationPlan, type Telemetry } from '@otel-messaging/messaging-common';
import { safeInteger } from '../message';

/** What is asked of a consumer, at each collection of metrics; librdkafka keeps both answers, the broker is not asked. */
export interface Watermarks {
  getWatermarkOffsets?(topic: string, partition: number): { readonly highOffset?: unknown };
  assignments?(): readonly { readonly topic?: unknown; readonly partition?: unknown }[];
}

/** A consumer that the gauge of its lag does not keep. */
export function weakly(consumer: Watermarks): () => Watermarks | undefined {
  const reference = new WeakRef(consumer);
  return () => reference.deref();
}

/** How far one consumer has come in each of its partitions. */
export class Positions {
  private readonly known = new BoundedMap<OperationPlan, Position>(1000);

  /** @param consumer that of librdkafka's API; undefined while there is none */
  constructor(
    private readonly telemetry: Telemetry,
    private readonly consumer: () => Watermarks | undefined,
  ) {}

  /**
   * A record goes to the application.
   * @param plan that of processing the partition's messages; the same object each time
   * @param offset as the client tells it, a number or decimal
   */
  delivered(plan: OperationPlan, topic: string, partition: unknown, offset: unknown): void {
    if (this.telemetry.signals.instruments === undefined) return;
    const at = typeof offset === 'number' ? offset : safeInteger(offset);
    if (at === undefined) return;
    const known = this.known.get(plan);
    if (known?.isFollowed) {
      known.next = at + 1;
      return;
    }
    if (typeof partition !== 'number') return;
    const position = known ?? this.known.add(plan, new Position(topic, partition, this.consumer));
    position.next = at + 1;
    position.isFollowed = this.telemetry.followLag(plan, position);
  }
}

class Position implements LagSource {
  /** Offset after the last record that the application got. */
  next = 0;
  isFollowed = false;

  constructor(
    private readonly topic: string,
    private readonly partition: number,
    private readonly consumer: () => Watermarks | undefined,
  ) {}

  records(): number | undefined {
    const end = this.end();
    this.isFollowed = end !== undefined;
    return end === undefined ? undefined : Math.max(0, end - this.next);
  }

  /** Offset after the partition's last record, at the last fetch; undefined where the partition is somebody else's now. */
  private end(): number | undefined {
    try {
      const { topic, partition } = this;
      const consumer = this.consumer();
      const isOurs = consumer?.assignments?.().some((one) => one.topic === topic && one.partition === partition);
      const end = isOurs ? consumer?.getWatermarkOffsets?.(topic, partition).highOffset : undefined;
      return Number.isSafeInteger(end) && (end as number) >= 0 ? (end as number) : undefined;
    } catch {
      return undefined; // disconnected, or nothing was fetched since the partition came back
    }
  }
}
