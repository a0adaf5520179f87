/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { applyInstrumentation, describeConformance } from '@otel-messaging/test-utils';
import { KafkaInstrumentation } from '../src';
import { instrumented, TestKafka } from './kafka';
import { describeNative, nativeClient } from './native';
import type { RdKafka } from './rdkafka';
import { originals, rdkafkaRig } from './rdkafka-rig';
import { describeRdKafka } from './rdkafka-suite';
import { runApplication } from './run-application';

const NAME = 'node-rdkafka';

// The same adapter as for the older API of Confluent's client, and so the same tests. By a command of their own: two
// libraries of the same name, librdkafka, do not go into one process, which a worker of jest is for many test files.
const isWanted = process.env['OTEL_MESSAGING_TEST_NODE_RDKAFKA'] !== undefined;
const found = isWanted ? nativeClient<RdKafka>(require, NAME) : undefined;

describeNative(found, NAME, (client) => {
  originals(client);
  const instrumentation = new KafkaInstrumentation();
  applyInstrumentation(instrumentation, require, [NAME]);
  const cluster = new TestKafka(instrumented({ enabled: false }));
  afterAll(() => cluster.close());
  const topic = (configEntries?: { name: string; value: string }[]) => cluster.topic(1, configEntries);

  test('an ES module application is traced without a loader', async () => {
    const name = await topic();
    const { spans, warnings } = await runApplication('node-rdkafka.mjs', { TOPIC: name, INSTRUMENTATIONS: 'ours' });
    expect(spans.map((span) => span.name)).toEqual([`send ${name}`, `process ${name}`]);
    expect(spans[1]?.parentId).toBe(spans[0]?.spanId);
    expect(warnings).toEqual([]);
  });

  describeRdKafka(client, instrumentation, topic, { refusesOddHeaders: false });
  for (const taking of ['data', 'poll'] as const) {
    describe(taking, () => {
      describeConformance(() => rdkafkaRig(NAME, client, taking, { instrumentation, topic }));
    });
  }
});
