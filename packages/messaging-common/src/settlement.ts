/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Settlement } from './operation';
import type { ProcessOperation } from './process-operation';

/**
 * The deliveries of one channel whose handlers are not over, by delivery tag. Tags only grow, so an all-up-to settlement
 * walks the oldest entries; every entry is removed once, by its settlement, its handler's end or the channel's.
 */
export class OpenDeliveries {
  private readonly open = new Map<number, ProcessOperation>();

  add(tag: number, operation: ProcessOperation): void {
    this.open.set(tag, operation);
    operation.isOpenIn(this, tag);
  }

  /** The handler is over, or the delivery will not be settled: nothing is left to wait for. */
  forget(tag: number): void {
    this.open.delete(tag);
  }

  settle(tag: number, settlement: Settlement): void {
    const operation = this.open.get(tag);
    if (operation === undefined) return;
    this.open.delete(tag);
    operation.settle(settlement);
  }

  /** Settles a tag and all before it; how many were open. */
  settleUpTo(tag: number, settlement: Settlement): number {
    let count = 0;
    for (const [open, operation] of this.open) {
      if (open > tag) break;
      this.open.delete(open);
      operation.settle(settlement);
      count++;
    }
    return count;
  }

  settleAll(settlement: Settlement): number {
    return this.settleUpTo(Number.POSITIVE_INFINITY, settlement);
  }

  /** Ends what is left: no settlement can come any more. */
  close(error?: unknown): void {
    for (const operation of this.open.values()) operation.end(error === undefined ? undefined : { error });
    this.open.clear();
  }

  get size(): number {
    return this.open.size;
  }
}
