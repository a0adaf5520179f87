/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { eventually, type Tracing, traceText, unhandledRejections } from '@otel-messaging/test-utils';
import type { ConsumerRunConfig } from 'kafkajs';
import { forEachTest } from './kafka';

let tracing: Tracing;
let topic: string;
const { instrumentation, cluster } = forEachTest((own) => {
  ({ tracing, topic } = own);
});

const text = (attributes: string[] = []) =>
  traceText(tracing.spans(), { attributes, rename: (name) => name.replaceAll(topic, 'orders') });
const WHERE = ['kafka.offset', 'messaging.destination.partition.id'];

/** Runs a consumer over two messages; `settleSpans` is on. */
async function run(config: ConsumerRunConfig, isDone: () => boolean): Promise<string> {
  instrumentation.disable();
  await (await cluster.producer()).send({ topic, messages: [{ value: '1' }, { value: '2' }] });
  instrumentation.enable();
  instrumentation.setConfig({ settleSpans: true });
  const groupId = `group-${topic}`;
  const consumer = await cluster.consumer([topic], groupId);
  await consumer.run(config);
  await eventually('the handlers', isDone);
  await eventually('the commit', async () => (await cluster.committed(groupId, topic))[0] === '2');
  await consumer.disconnect();
  return text(WHERE);
}

test('what kafkajs commits by itself, when it has', async () => {
  let entries = 0;
  const eachMessage = async () => {
    entries++;
  };
  expect(await run({ eachMessage }, () => entries === 2)).toBe(
    [
      'process orders CONSUMER {kafka.offset=0} {messaging.destination.partition.id=0}',
      'process orders CONSUMER {kafka.offset=1} {messaging.destination.partition.id=0}',
      'commit orders CLIENT {kafka.offset=2} {messaging.destination.partition.id=0}',
    ].join('\n'),
  );
  const commit = tracing.spans().find(({ name }) => name.startsWith('commit'));
  expect(commit?.duration[0]).toBeLessThan(10);
  const operations = (await tracing.metrics()).find(({ descriptor }) => descriptor.name.endsWith('operation.duration'));
  expect(operations?.dataPoints).toMatchObject([
    { attributes: { 'messaging.operation.name': 'commit' }, value: { count: 1 } },
  ]);
});

test('by threshold, in the middle of a batch', async () => {
  let entries = 0;
  const config: ConsumerRunConfig = {
    autoCommitThreshold: 1,
    eachMessage: async () => {
      entries++;
    },
  };
  expect(await run(config, () => entries === 2)).toBe(
    [
      'process orders CONSUMER {kafka.offset=0} {messaging.destination.partition.id=0}',
      'commit orders CLIENT {kafka.offset=1} {messaging.destination.partition.id=0}',
      'process orders CONSUMER {kafka.offset=1} {messaging.destination.partition.id=0}',
      'commit orders CLIENT {kafka.offset=2} {messaging.destination.partition.id=0}',
    ].join('\n'),
  );
});

test('by the handler of a batch, below it and once', async () => {
  let isDone = false;
  const config: ConsumerRunConfig = {
    autoCommit: false,
    eachBatch: async ({ batch, commitOffsetsIfNecessary, uncommittedOffsets, resolveOffset }) => {
      await commitOffsetsIfNecessary(); // nothing to commit
      resolveOffset(batch.lastOffset());
      await commitOffsetsIfNecessary(uncommittedOffsets());
      isDone = true;
    },
  };
  expect(await run(config, () => isDone)).toBe(
    [
      'process orders CONSUMER {messaging.destination.partition.id=0}',
      '└─ commit orders CLIENT {kafka.offset=2} {messaging.destination.partition.id=0}',
    ].join('\n'),
  );
});

test('of several partitions: without one in its name', async () => {
  instrumentation.setConfig({ settleSpans: true });
  const consumer = await cluster.consumer([topic]);
  await consumer.run({ eachMessage: async () => {} });
  await eventually('the group', async () => (await consumer.describeGroup()).state === 'Stable');
  await consumer.commitOffsets([
    { topic, partition: 0, offset: '0' },
    { topic, partition: 0, offset: '0' },
  ]);
  await consumer.disconnect();
  expect(text(WHERE)).toBe('commit orders CLIENT {messaging.destination.partition.id=0}');
});

test('a commit that fails, and is forgotten, is reported as unhandled all the same', async () => {
  instrumentation.setConfig({ settleSpans: true });
  const consumer = await cluster.consumer([topic]);
  const unhandled = await unhandledRejections(() => {
    consumer.commitOffsets([{ topic, partition: 0, offset: '1' }]);
  });
  expect(unhandled).toEqual([expect.stringContaining('consumer#run')]);
  expect(text()).toBe('commit orders CLIENT !KafkaJSNonRetriableError');
});
