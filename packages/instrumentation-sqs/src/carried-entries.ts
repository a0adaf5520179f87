/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { BatchSendOperation } from '@otel-messaging/messaging-common';
import type { OutgoingMessage, OutgoingWriter } from './outgoing-message';

/**
 * The entries of a batch with the contexts of the operation; the same array if none carries one.
 * @param began the entries when the operation began
 * @param now the same, or what middleware of the application has made of them
 */
export function carriedEntries(
  operation: BatchSendOperation<OutgoingMessage>,
  began: readonly OutgoingMessage[],
  now: readonly OutgoingMessage[],
  writer: OutgoingWriter,
): readonly OutgoingMessage[] {
  let isSame = true;
  const sent: OutgoingMessage[] = [];
  // By index: the array may be one that was received, whose iteration means something.
  for (let i = 0; i < now.length; i++) {
    const entry = now[i] as Entry;
    const index =
      (began[i] as Entry | undefined)?.Id === entry.Id ? i : began.findIndex(({ Id }: Entry) => Id === entry.Id);
    const carrying = operation.carriedBy(entry, index < 0 ? undefined : index, writer);
    if (carrying !== entry) isSame = false;
    sent.push(carrying);
  }
  return isSame ? now : sent;
}

interface Entry extends OutgoingMessage {
  readonly Id?: unknown;
}
