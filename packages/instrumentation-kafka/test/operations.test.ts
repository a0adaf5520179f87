/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { trace } from '@opentelemetry/api';
import { KafkaInstrumentation } from '../src';
import { ClusterId } from '../src/cluster-id';
import {
  batchProcessFacts,
  batchSendFacts,
  commitFacts,
  createFacts,
  processFacts,
  sendFacts,
  serverOf,
  TopicPlans,
} from '../src/operations';

const client = { clientId: 'shop', server: { address: 'kafka', port: 9092 }, groupId: 'mailer' };

test('names, types and topics of the operations', () => {
  const facts = [sendFacts, createFacts, processFacts, commitFacts].map((describe) => describe(client, 'orders', 3));
  expect(facts.map(({ type, name }) => `${type} ${name}`)).toEqual([
    'send send',
    'create create',
    'process process',
    'settle commit',
  ]);
  for (const { system, destination, server } of facts) {
    expect({ system, destination, server }).toEqual({
      system: 'kafka',
      destination: { name: 'orders', partitionId: '3' },
      server: client.server,
    });
  }
});

test('a create span says nothing of the client, the group and the cluster', () => {
  const clusterId = new ClusterId(() => 'a');
  const { attributes, consumerGroup } = createFacts({ ...client, clusterId }, 'orders', undefined);
  expect({ ...attributes, consumerGroup }).toEqual({});
});

test('batches say so', () => {
  expect(batchSendFacts(client, 'orders', undefined).isBatch).toBe(true);
  expect(batchProcessFacts(client, 'orders', 0).isBatch).toBe(true);
  expect(processFacts(client, 'orders', 0).isBatch).toBeUndefined();
});

test.each([
  [['kafka:9092'], { address: 'kafka', port: 9092 }],
  [['PLAINTEXT://kafka:9092'], { address: 'kafka', port: 9092 }],
  [['kafka'], { address: 'kafka', port: undefined }],
  [['a:9092', 'b:9092'], undefined],
  [[], undefined],
  [[7], undefined],
  [() => ['kafka:9092'], undefined],
  [undefined, undefined],
])('the broker of %p is %p', (brokers, expected) => {
  expect(serverOf(brokers)).toEqual(expected);
});

describe('plans', () => {
  const instrumentation = new KafkaInstrumentation();
  afterAll(() => instrumentation.disable());
  const make = () => new TopicPlans(instrumentation.telemetry, client, processFacts);

  test('are made once for each topic and partition', () => {
    const plans = make();
    expect(plans.of('a', 0)).toBe(plans.of('a', 0));
    expect(plans.of('a', 0)).not.toBe(plans.of('a', 1));
    expect(plans.of('a', 0)).not.toBe(plans.of('b', 0));
    expect(plans.of('a')).not.toBe(plans.of('a', 0));
    expect(plans.of('a', 1).spanName).toBe('process a');
    expect(plans.of(undefined).spanName).toBe('process');
  });

  test('are made again once the configuration has changed', () => {
    const plans = make();
    const before = plans.of('a', 0);
    instrumentation.setConfig({ destinationTemplate: () => 'any' });
    expect(plans.of('a', 0).spanName).toBe('process any');
    instrumentation.setConfig({});
    expect(plans.of('a', 0)).not.toBe(before);
  });

  test('are made again, once, when the cluster is known', () => {
    let id: string | undefined;
    const clusterId = new ClusterId(() => id);
    const plans = new TopicPlans(instrumentation.telemetry, { ...client, clusterId }, processFacts);
    const before = plans.of('a', 0);
    expect(plans.of('a', 0)).toBe(before);
    expect(before.details).not.toHaveProperty(['kafka.cluster.id']);
    expect(before.learned?.()).toBeUndefined();
    id = 'cluster';
    const after = plans.of('a', 0);
    expect(after.details).toHaveProperty(['kafka.cluster.id'], id);
    expect(after.metricAttributes).toEqual(before.metricAttributes);
    expect(after.learned).toBeUndefined();
    expect(before.learned?.()).toEqual({ 'kafka.cluster.id': id });
    expect(plans.of('a', 0)).toBe(after);
  });

  test('do not grow with the number of topics', () => {
    const plans = make();
    const first = plans.of('0', 0);
    for (let i = 1; i <= 1000; i++) plans.of(String(i), 0);
    expect(plans.of('0', 0)).not.toBe(first);
  });
});

test('without an SDK nothing is on', () => {
  trace.disable();
  expect(new KafkaInstrumentation().telemetry.isOn()).toBe(false);
});
