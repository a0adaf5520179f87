/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type Confluent, confluent, instrumented, NAME, TestConfluent } from './confluent';
import { describeNative } from './native';
import type { RdKafka } from './rdkafka';
import { describeRdKafka } from './rdkafka-suite';

describeNative<Confluent>(confluent, `${NAME} in the manner of librdkafka`, (client) => {
  const instrumentation = instrumented();
  const cluster = new TestConfluent(client);
  describeRdKafka(client as unknown as RdKafka, instrumentation, (configEntries) => cluster.topic(1, configEntries), {
    refusesOddHeaders: true,
  });
});
