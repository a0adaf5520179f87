/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { join } from 'node:path';

/** For the virtual machine: a small heap, a quick start, and nothing written outside the broker's folder. */
export const JVM = [
  '-Xmx256m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:-UsePerfData',
  '-Xshare:auto',
  '-Xlog:disable',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  // The logger that tells when it is ready.
  '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info',
];

const SINGLE_NODE = {
  'process.roles': 'broker,controller',
  'node.id': 1,
  // With the older `controller.quorum.voters` the controller cannot have port 0: it keeps calling itself there.
  'controller.quorum.bootstrap.servers': '127.0.0.1:0',
  'controller.listener.names': 'CONTROLLER',
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
  'inter.broker.listener.name': 'PLAINTEXT',
  'num.partitions': 1,
  'offsets.topic.replication.factor': 1,
  'offsets.topic.num.partitions': 1,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'transaction.state.log.num.partitions': 1,
  'share.coordinator.state.topic.replication.factor': 1,
  'share.coordinator.state.topic.min.isr': 1,
  'share.coordinator.state.topic.num.partitions': 1,
  'group.initial.rebalance.delay.ms': 0,
  'group.min.session.timeout.ms': 500,
  // After SIGKILL a restart waits until the old registration has expired, by default nine seconds.
  'broker.session.timeout.ms': 1500,
  'broker.heartbeat.interval.ms': 250,
  // The default takes half of the heap.
  'log.cleaner.dedupe.buffer.size': 2_097_152,
};

/** The text of `server.properties` for one node with its data in `folder`; its controller chooses a port by itself. */
export function serverProperties(folder: string, port: number): string {
  const properties = {
    ...SINGLE_NODE,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:0`,
    'log.dirs': join(folder, 'data'),
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
