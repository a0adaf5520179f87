/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Telemetry } from '@otel-messaging/messaging-common';
import type { Kafka } from 'kafkajs';
import { ClusterId } from '../cluster-id';

/** What kafkajs connects a client with, as far as it is read. */
interface Cluster {
  readonly brokerPool: { readonly metadata: { readonly clusterId?: unknown } | null };
}

type Create = (this: unknown, ...args: unknown[]) => Cluster;

/** Describes the symbol under which an instance of `Kafka` has the function that makes the cluster of a new client. */
const CREATE_CLUSTER = 'private:Kafka:createCluster';

/**
 * Makes a client, and finds the id of its cluster; without one where kafkajs is not as we know it.
 * What knows the id goes from the function that makes it into closures of the client: there is no other moment to see it.
 * So that function is replaced while kafkajs makes the client, and then put back.
 */
export function withClusterId<T>(
  kafka: Kafka,
  telemetry: Telemetry,
  make: () => T,
): { readonly client: T; readonly clusterId?: ClusterId } {
  let cluster: Cluster | undefined;
  const restore = telemetry.guard('find the cluster of a client', undefined, () =>
    replaceCreate(kafka as unknown as Record<symbol, unknown>, (created) => {
      cluster ??= created; // a partitioner of the application's may make clients in its turn
    }),
  );
  try {
    return { client: make(), clusterId: restore && new ClusterId(() => cluster?.brokerPool.metadata?.clusterId) };
  } finally {
    if (restore !== undefined) telemetry.guard('put a function of kafkajs back', undefined, restore);
  }
}

/** @returns what puts it back; undefined where it is not found */
function replaceCreate(kafka: Record<symbol, unknown>, note: (cluster: Cluster) => void): (() => void) | undefined {
  const symbol = Object.getOwnPropertySymbols(kafka).find(({ description }) => description === CREATE_CLUSTER);
  const create = symbol && kafka[symbol];
  if (symbol === undefined || typeof create !== 'function') return undefined;
  kafka[symbol] = function (this: unknown, ...args: unknown[]) {
    const cluster = (create as Create).apply(this, args);
    note(cluster);
    return cluster;
  };
  return () => {
    kafka[symbol] = create;
  };
}
