/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { SendOperation } from '@otel-messaging/messaging-common';

/** The sends of one confirm channel that the broker has not answered, by delivery tag. */
export class UnconfirmedSends {
  private readonly waiting = new Map<number, SendOperation<unknown>>();

  add(tag: number, operation: SendOperation<unknown>): void {
    this.waiting.set(tag, operation);
  }

  /** The broker's answer to one send, or to all up to that one. */
  answer(tag: number, isMultiple: boolean, error: Error | undefined): void {
    if (!isMultiple) {
      this.end(tag, error);
      return;
    }
    for (const waiting of this.waiting.keys()) {
      if (waiting > tag) break; // tags only grow
      this.end(waiting, error);
    }
  }

  /** No answer can come any more. */
  close(error: Error | undefined): void {
    this.answer(Number.POSITIVE_INFINITY, true, error);
  }

  get size(): number {
    return this.waiting.size;
  }

  private end(tag: number, error: Error | undefined): void {
    const operation = this.waiting.get(tag);
    if (operation === undefined) return;
    this.waiting.delete(tag);
    if (error === undefined) operation.end();
    else operation.fail(error);
  }
}
