/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { channel } from 'node:diagnostics_channel';
import type { Telemetry } from '@otel-messaging/messaging-common';
import { processFacts, TopicPlans } from '../operations';
import { clientFactsOf, type PltClient } from './platformatic-client';

/** Where a consumer says how far it is behind, whenever the application asks it to: `getLag`, `startLagMonitoring`. */
const LAG = 'plt:kafka:consumer:lag';

interface Lag {
  readonly client: PltClient;
  /** By topic and partition; negative for what was not asked for (-2), and for partitions of other members (-1). */
  readonly lag: ReadonlyMap<string, readonly bigint[]>;
}

/** Records what consumers find out about their lag; finding out takes requests, which are left to the application. */
export function followLag(telemetry: Telemetry): void {
  const known = new WeakMap<object, TopicPlans>();
  channel(LAG).subscribe((message) => {
    telemetry.guard('follow the lag of a consumer', undefined, () => {
      const { client, lag } = message as Lag;
      const plans = known.get(client) ?? new TopicPlans(telemetry, clientFactsOf(client), processFacts);
      known.set(client, plans);
      for (const [topic, partitions] of lag) {
        for (const [partition, records] of partitions.entries()) {
          if (records >= 0n) telemetry.recordLag(plans.of(topic, partition), Number(records));
          else if (records === -1n) telemetry.recordLag(plans.of(topic, partition), undefined);
        }
      }
    });
  });
}
