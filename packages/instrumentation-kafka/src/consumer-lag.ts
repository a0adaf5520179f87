/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { OperationPlan, Telemetry } from '@otel-messaging/messaging-common';
import { safeInteger } from './message';
import type { TopicPlans } from './operations';

/** A partition that a consumer reads. */
interface Partition {
  readonly plan: OperationPlan;
  /** Offset after the partition's last record, at the last fetch. */
  end: number;
}

/** How far one consumer is behind in each of its partitions, by what it learns from the broker anyway. */
export class ConsumerLag {
  private readonly partitions = new Map<string, Partition>();

  constructor(
    private readonly telemetry: Telemetry,
    private readonly plans: TopicPlans,
  ) {}

  /**
   * Records were fetched.
   * @param highWatermark offset after the partition's last record, decimal
   * @param position of the first record that is yet to be handled, decimal
   */
  fetched(topic: string, partition: number, highWatermark: unknown, position: unknown): void {
    const end = safeInteger(highWatermark);
    if (end === undefined) return;
    const key = keyOf(topic, partition);
    const known = this.partitions.get(key);
    const entry = known ?? { plan: this.plans.of(topic, partition), end };
    entry.end = end;
    if (known === undefined) this.partitions.set(key, entry);
    this.report(entry, position);
  }

  /** All before this offset, decimal, is done with. */
  reached(topic: string, partition: number, position: unknown): void {
    const entry = this.partitions.get(keyOf(topic, partition));
    if (entry !== undefined) this.report(entry, position);
  }

  /** Partitions that are not in the assignment are somebody else's now. */
  assigned(assignment: Readonly<Record<string, readonly number[]>>): void {
    const kept = new Set(Object.entries(assignment).flatMap(([topic, all]) => all.map((one) => keyOf(topic, one))));
    for (const [key, { plan }] of this.partitions) {
      if (kept.has(key)) continue;
      this.partitions.delete(key);
      this.telemetry.recordLag(plan, undefined);
    }
  }

  private report({ plan, end }: Partition, position: unknown): void {
    const next = safeInteger(position);
    if (next !== undefined) this.telemetry.recordLag(plan, end - next);
  }
}

function keyOf(topic: string, partition: number): string {
  return `${partition} ${topic}`;
}
