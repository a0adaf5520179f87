/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { eventually, type Tracing } from '@otel-messaging/test-utils';
import { Kafka, type KafkaConfig, logLevel, Partitioners, type Producer } from 'kafkajs';
import { brokers, forEachTest } from './kafka';

let tracing: Tracing;
let topic: string;
let clusterId: string;
const { instrumentation, cluster } = forEachTest((own) => {
  ({ tracing, topic } = own);
});
const createPartitioner = Partitioners.DefaultPartitioner;

beforeAll(async () => {
  const admin = cluster.kafka.admin();
  await admin.connect();
  ({ clusterId } = await admin.describeCluster());
  await admin.disconnect();
});

/** Span → id of the cluster, in the order of their start. */
const recorded = () =>
  tracing.spans().map(({ name, attributes }) => [name.replace(topic, 'orders'), attributes['kafka.cluster.id']]);
const newKafka = (config: Partial<KafkaConfig> = {}) =>
  new Kafka({ brokers: brokers(), logLevel: logLevel.NOTHING, ...config });
const one = () => ({ topic, messages: [{ value: 'v' }] });

/** Sends with a producer that has asked for nothing yet. */
async function sendFirst(kafka: Kafka, send: (producer: Producer) => Promise<unknown>): Promise<void> {
  const producer = kafka.producer({ createPartitioner });
  await producer.connect();
  await send(producer);
  await producer.disconnect();
}

test('the cluster is on every span but that of a message which is created, from the first on', async () => {
  instrumentation.setConfig({ settleSpans: true });
  await sendFirst(cluster.kafka, (producer) => producer.send({ topic, messages: [{ value: '1' }, { value: '2' }] }));
  let isDone = false;
  const eachBatch = async ({ batch }: { batch: { messages: object[] } }) => {
    for (const _ of batch.messages) await new Promise(setImmediate);
    isDone = true;
  };
  await cluster.run([topic], { eachBatch }, () => isDone);
  await eventually('the commit', () => tracing.spans().some(({ name }) => name.startsWith('commit')));
  expect(recorded()).toEqual([
    ['create orders', undefined],
    ['create orders', undefined],
    ['send orders', clusterId],
    ['process orders', clusterId],
    ['process orders', clusterId],
    ['process orders', clusterId],
    ['commit orders', clusterId],
  ]);
});

test('sends that begin before the first is answered', async () => {
  await sendFirst(cluster.kafka, (producer) => Promise.all([producer.send(one()), producer.send(one())]));
  expect(recorded()).toEqual([
    ['send orders', clusterId],
    ['send orders', clusterId],
  ]);
});

test('a first send that fails', async () => {
  const tooLarge = { topic, messages: [{ value: Buffer.alloc(2_000_000) }] };
  await sendFirst(cluster.kafka, (producer) => expect(producer.send(tooLarge)).rejects.toThrow());
  expect(recorded()).toEqual([['send orders', clusterId]]);
});

test('nothing is asked for it', async () => {
  const requests = async () => {
    const names: string[] = [];
    await sendFirst(cluster.kafka, async (producer) => {
      producer.on(producer.events.REQUEST, ({ payload }) => names.push(payload.apiName));
      await producer.send(one());
    });
    return names;
  };
  const traced = await requests();
  instrumentation.disable();
  const untraced = await requests();
  instrumentation.enable();
  expect(traced).toEqual(untraced);
  expect(recorded()).toEqual([['send orders', clusterId]]);
});

test('that of the client itself, where its partitioner makes other clients', async () => {
  const other = newKafka({ brokers: ['127.0.0.1:1'] });
  const partitioner = () => {
    other.producer({ createPartitioner });
    cluster.kafka.producer({ createPartitioner });
    return createPartitioner();
  };
  const producer = cluster.kafka.producer({ createPartitioner: partitioner });
  await producer.connect();
  await producer.send(one());
  await producer.disconnect();
  expect(recorded()).toEqual([['send orders', clusterId]]);
});

test.each<[string, () => Kafka]>([
  ['is frozen', () => Object.freeze(newKafka())],
  ['has inherited its function', () => Object.create(newKafka())],
])('an instance that %s works, and the id is not recorded', async (_, kafka) => {
  await sendFirst(kafka(), (producer) => producer.send(one()));
  expect(recorded()).toEqual([['send orders', undefined]]);
  tracing.reset(); // all other tests with kafkajs fail if a span is without it
});
