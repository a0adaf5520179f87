/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { killApplications, PRELOADS, runApplication } from './application';
import { type Collector, startCollector } from './collector';

let collector: Collector;

beforeAll(() => {
  if (!process.env['SQS_ENDPOINT']) throw new Error('no broker for these tests: SQS_ENDPOINT not set');
});

beforeEach(async () => {
  collector = await startCollector();
});

afterEach(async () => {
  killApplications();
  await collector.close();
});

describe.each(PRELOADS)('with node %s', (preload) => {
  test.each(['sqs-consumer.cjs', 'sqs-consumer.mjs'])('%s handles a message in its trace', async (fixture) => {
    const node = [preload, '@otel-messaging/auto/register'];
    const end = await runApplication(fixture, { node, env: collector.env });
    expect(end).toMatchObject({ code: 0, stdout: 'done\n' });
    const ours = collector.spans.filter(({ scope }) => scope === '@otel-messaging/instrumentation-sqs');
    const [send, process, remove] = ['send', 'process', 'delete'].map((name) =>
      ours.find((span) => span.name.startsWith(name)),
    );
    expect(ours.map(({ name }) => name.split(' ')[0]).sort()).toEqual(['delete', 'process', 'receive', 'send']);
    expect(process).toMatchObject({ traceId: send!.traceId, parentSpanId: send!.spanId });
    expect(remove).toMatchObject({ traceId: send!.traceId, parentSpanId: process!.spanId });
  });
});
