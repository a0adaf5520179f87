/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Telemetry } from '@otel-messaging/messaging-common';
import type { Consumer } from 'kafkajs';
import type { ConsumerLag } from '../consumer-lag';

/** Keeps a consumer's lag by the events that kafkajs emits for its users: nothing is asked of the broker. */
export function followLag(consumer: Consumer, lag: ConsumerLag, telemetry: Telemetry): void {
  const { events } = consumer;
  const guarded =
    <P>(note: (payload: P) => void) =>
    ({ payload }: { readonly payload: P }) =>
      telemetry.guard('follow the lag of a consumer', undefined, () => note(payload));

  consumer.on(
    events.START_BATCH_PROCESS,
    guarded(({ topic, partition, highWatermark, firstOffset }) =>
      lag.fetched(topic, partition, highWatermark, firstOffset),
    ),
  );
  consumer.on(
    events.END_BATCH_PROCESS,
    guarded(({ topic, partition, lastOffset }) => lag.reached(topic, partition, after(lastOffset))),
  );
  // A handler may have left its batch early: what is committed tells how far it came.
  consumer.on(
    events.COMMIT_OFFSETS,
    guarded(({ topics }) => {
      for (const { topic, partitions } of topics) {
        for (const { partition, offset } of partitions) lag.reached(topic, partition, offset);
      }
    }),
  );
  consumer.on(
    events.GROUP_JOIN,
    guarded(({ memberAssignment }) => lag.assigned(memberAssignment)),
  );
  const isOver = guarded(() => lag.assigned({}));
  consumer.on(events.STOP, isOver);
  consumer.on(events.CRASH, isOver);
}

function after(offset: string): string | undefined {
  const number = Number(offset);
  return Number.isSafeInteger(number) ? String(number + 1) : undefined;
}
