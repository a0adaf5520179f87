/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { BatchProcessOperation } from '@otel-messaging/messaging-common';
import type { KafkaMessage } from './message';

/** Follows by offsets what the handler of one batch says that it is done with. */
export class Resolutions {
  /** As delivered: the application may take messages out of its array. */
  private readonly messages: KafkaMessage[] = [];
  /** Index of the message after the last that was resolved. */
  private next = 0;

  constructor(
    private readonly operation: BatchProcessOperation,
    messages: readonly KafkaMessage[],
  ) {
    // One by one: methods of arrays are slow with an array whose walk is followed.
    for (let i = 0; i < messages.length; i++) this.messages.push(messages[i] as KafkaMessage);
  }

  /** The application is done with all messages up to this offset. */
  note(offset: unknown): void {
    const index = this.messages[this.next]?.offset === offset ? this.next : this.indexOf(String(offset));
    if (index < 0) return;
    const areSeveral = index > this.next;
    if (index >= this.next) this.next = index + 1;
    this.operation.resolve(this.messages[index] as KafkaMessage, areSeveral);
  }

  /** By halves, since offsets only grow; -1 for an offset that is not in the batch. */
  private indexOf(offset: string): number {
    let low = 0;
    let high = this.messages.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const order = compare(this.messages[middle]?.offset ?? '', offset);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}

/** Decimal texts without leading zeros, as numbers. */
function compare(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
