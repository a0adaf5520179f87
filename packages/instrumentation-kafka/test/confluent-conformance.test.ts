/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { describeConformance, type Rig } from '@otel-messaging/test-utils';
import { type Confluent, confluent, instrumented, NAME, TestConfluent } from './confluent';
import { KafkajsClient, type Taking } from './kafkajs-rig';
import { describeNative } from './native';

type Producer = Awaited<ReturnType<TestConfluent['producer']>>;
type Consumer = Awaited<ReturnType<TestConfluent['consumer']>>;

describeNative<Confluent>(confluent, NAME, (client) => {
  const { prototype } = client.KafkaJS.Kafka;
  const { producer, consumer } = prototype;
  const instrumentation = instrumented();
  const cluster = new TestConfluent(client);
  afterAll(() => cluster.close());

  const rigOf = (taking: Taking): Rig => ({
    name: `Confluent's client in the manner of kafkajs, ${taking}`,
    instrumentation,
    doors: [
      { holder: prototype, name: 'producer', original: producer },
      { holder: prototype, name: 'consumer', original: consumer },
    ],
    cannot: { 'a limit on headers': 'Kafka bounds a whole message, not its headers' },
    async connect() {
      const topic = await cluster.topic();
      const producer = await cluster.producer();
      const consumer = await cluster.consumer([topic]);
      const calls = malformedCalls(topic, producer, consumer);
      return new KafkajsClient(taking, topic, producer as never, consumer as never, calls);
    },
  });

  describe('eachMessage', () => {
    describeConformance(() => rigOf('eachMessage'));
  });

  describe('eachBatch', () => {
    describeConformance(() => rigOf('eachBatch'));
  });
});

const malformedCalls = (topic: string, producer: Producer, consumer: Consumer) => ({
  'no messages': () => producer.send({ topic } as never),
  'a run configuration that is null': () => consumer.run(null as never),
  'no topic': () => producer.send({ topic: '', messages: [{ value: 'a' }] }),
  'a message without value': () => producer.send({ topic, messages: [{ key: 'k', headers: {} } as never] }),
  'an option that is refused': () => producer.send({ topic, messages: [{ value: 'a' }], acks: 1 } as never),
  'a batch of null': () => producer.sendBatch(null as never),
  'a transaction without transactional id': () => producer.transaction(),
  'a run option that is refused': () => consumer.run({ autoCommit: true } as never),
});
