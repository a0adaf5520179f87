/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Settlement } from './operation';
import type { ProcessOperation } from './process-operation';
import { TagMap } from './tag-map';

/**
 * The deliveries of one channel whose handlers are not over, by delivery tag. Every entry is removed once, by its
 * settlement, its handler's end or the channel's.
 */
export class OpenDeliveries {
  private readonly open = new TagMap<ProcessOperation>();

  add(tag: number, operation: ProcessOperation): void {
    this.open.set(tag, operation);
    operation.isOpenIn(this, tag);
  }

  /** The handler is over, or the delivery will not be settled: nothing is left to wait for. */
  forget(tag: number): void {
    this.open.delete(tag);
  }

  settle(tag: number, settlement: Settlement): void {
    this.open.take(tag)?.settle(settlement);
  }

  /** Settles a tag and all before it; how many were open. */
  settleUpTo(tag: number, settlement: Settlement): number {
    return this.open.takeUpTo(tag, (operation) => operation.settle(settlement));
  }

  settleAll(settlement: Settlement): number {
    return this.settleUpTo(Number.POSITIVE_INFINITY, settlement);
  }

  /** Ends what is left: no settlement can come any more. */
  close(error?: unknown): void {
    const outcome = error === undefined ? undefined : { error };
    this.open.takeUpTo(Number.POSITIVE_INFINITY, (operation) => operation.end(outcome));
  }

  get size(): number {
    return this.open.size;
  }
}
