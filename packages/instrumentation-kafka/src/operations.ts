/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  BoundedMap,
  type Learned,
  type OperationFacts,
  type OperationPlan,
  type Server,
  semconv,
  type Telemetry,
} from '@otel-messaging/messaging-common';
import type { ClusterId } from './cluster-id';

/** What is known of a client before it sends or receives anything. */
export interface ClientFacts {
  readonly clientId?: string;
  /** Known only where there is a single broker to start from: with several, nobody can say which one is asked. */
  readonly server?: Server;
  /** Consumers only. */
  readonly groupId?: string;
  /** Absent where the client tells it to nobody. */
  readonly clusterId?: ClusterId;
}

/** Describes one operation on a topic; undefined where a call spans several. */
type Describe = (client: ClientFacts, topic: string | undefined, partition: number | undefined) => OperationFacts;

export const sendFacts: Describe = (client, topic, partition) => ({
  ...commonFacts(client, topic, partition),
  type: 'send',
  name: 'send',
});

export const batchSendFacts: Describe = (client, topic, partition) => ({
  ...sendFacts(client, topic, partition),
  isBatch: true,
});

export const createFacts: Describe = (client, topic, partition) => ({
  ...commonFacts({ server: client.server }, topic, partition),
  type: 'create',
  name: 'create',
});

export const processFacts: Describe = (client, topic, partition) => ({
  ...commonFacts(client, topic, partition),
  type: 'process',
  name: 'process',
});

export const batchProcessFacts: Describe = (client, topic, partition) => ({
  ...processFacts(client, topic, partition),
  isBatch: true,
});

export const pollFacts: Describe = (client, topic, partition) => ({
  ...commonFacts(client, topic, partition),
  type: 'receive',
  name: 'poll',
  isBatch: true,
});

export const commitFacts: Describe = (client, topic, partition) => ({
  ...commonFacts(client, topic, partition),
  type: 'settle',
  name: 'commit',
});

function commonFacts({ clientId, server, groupId, clusterId }: ClientFacts, topic?: string, partition?: number) {
  return {
    system: semconv.MESSAGING_SYSTEM_NAME_VALUE_KAFKA,
    // Without a topic still a destination, if an unnamed one: the span must not be named after the server.
    destination: { name: topic, partitionId: partition === undefined ? undefined : String(partition) },
    server,
    consumerGroup: groupId,
    attributes: {
      [semconv.ATTR_MESSAGING_CLIENT_ID]: clientId,
      [semconv.ATTR_KAFKA_CLUSTER_ID]: clusterId?.get(),
    },
  };
}

/** The broker to start from, if it is the only one; `host:port` as clients take it. */
export function serverOf(brokers: unknown): Server | undefined {
  if (!Array.isArray(brokers) || brokers.length !== 1 || typeof brokers[0] !== 'string') return undefined;
  const [, address, port] = /^(?:[a-z_]+:\/\/)?(.+?)(?::(\d+))?$/i.exec(brokers[0]) ?? [];
  return address === undefined ? undefined : { address, port: port === undefined ? undefined : Number(port) };
}

const MAX_TOPICS = 1000;
const MAX_PARTITIONS = 1000;

/** The plans of one client for one kind of operation: made once for each topic and partition, and again with the cluster's id. */
export class TopicPlans {
  private readonly topics = new BoundedMap<string | undefined, BoundedMap<number | undefined, OperationPlan>>(
    MAX_TOPICS,
  );
  private config: unknown;
  /** As it is in the plans. */
  private clusterId: string | undefined;

  constructor(
    private readonly telemetry: Telemetry,
    private readonly client: ClientFacts,
    private readonly describe: Describe,
  ) {
    this.config = telemetry.config;
  }

  of(topic: string | undefined, partition?: number): OperationPlan {
    const { telemetry, topics } = this;
    const clusterId = this.client.clusterId?.get();
    if (telemetry.config !== this.config || clusterId !== this.clusterId) {
      this.config = telemetry.config;
      this.clusterId = clusterId;
      topics.clear();
    }
    const partitions = topics.get(topic) ?? topics.add(topic, new BoundedMap(MAX_PARTITIONS));
    return partitions.get(partition) ?? partitions.add(partition, this.plan(topic, partition));
  }

  private plan(topic: string | undefined, partition: number | undefined): OperationPlan {
    const { telemetry, client, describe } = this;
    return telemetry.plan(describe(client, topic, partition), learnedOf(client));
  }
}

/** The id of a cluster that is not known yet; undefined where it is, or never will be. */
function learnedOf({ clusterId }: ClientFacts): Learned | undefined {
  if (clusterId === undefined || clusterId.get() !== undefined) return undefined;
  return () => {
    const id = clusterId.get();
    return id === undefined ? undefined : { [semconv.ATTR_KAFKA_CLUSTER_ID]: id };
  };
}
