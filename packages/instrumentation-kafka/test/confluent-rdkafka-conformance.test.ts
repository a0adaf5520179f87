/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { describeConformance } from '@otel-messaging/test-utils';
import { type Confluent, confluent, instrumented, NAME, TestConfluent } from './confluent';
import { describeNative } from './native';
import type { RdKafka } from './rdkafka';
import { originals, rdkafkaRig } from './rdkafka-rig';

describeNative<Confluent>(confluent, `${NAME}, the API of librdkafka`, (client) => {
  const rdkafka = client as unknown as RdKafka;
  originals(rdkafka);
  const instrumentation = instrumented();
  const cluster = new TestConfluent(client);
  const topic = () => cluster.topic();

  for (const taking of ['data', 'poll'] as const) {
    describe(taking, () => {
      describeConformance(() => rdkafkaRig('Confluent', rdkafka, taking, { instrumentation, topic }));
    });
  }
});
