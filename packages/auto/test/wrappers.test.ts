/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { killApplications, PRELOADS, startApplication } from './application';
import { type Collector, type ReceivedSpan, startCollector } from './collector';

const PRODUCER = 4;
const CONSUMER = 5;

type TimedSpan = ReceivedSpan & { readonly startTimeUnixNano: string; readonly endTimeUnixNano: string };

let collector: Collector;

beforeEach(async () => {
  collector = await startCollector();
});

afterEach(async () => {
  killApplications();
  await collector.close();
});

// It has a build of ES modules with a wrapper of its own.
test.each(PRELOADS)('node %s traces amqp-connection-manager in ES modules, not only amqplib below', async (preload) => {
  const application = startApplication('message.mjs', {
    args: ['amqp-manager'],
    node: [preload, '@otel-messaging/auto/register'],
    env: collector.env,
  });
  await application.printed('done');
  expect(await application.end).toMatchObject({ code: 0 });
  const ofKind = (kind: number) => collector.spans.filter((span) => span.kind === kind) as TimedSpan[];
  expect([ofKind(PRODUCER).length, ofKind(CONSUMER).length]).toEqual([1, 1]);
  const [[sent], [handled]] = [ofKind(PRODUCER), ofKind(CONSUMER)] as const;
  expect(handled?.parentSpanId).toBe(sent?.spanId);
  // Without the wrapper's door the span would end at the handler's first await.
  const durationMs = Number(BigInt(handled!.endTimeUnixNano) - BigInt(handled!.startTimeUnixNano)) / 1e6;
  expect(durationMs).toBeGreaterThan(40);
});
