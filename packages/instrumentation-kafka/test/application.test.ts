/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { instrumented, TestKafka } from './kafka';
import { runApplication } from './run-application';

const cluster = new TestKafka(instrumented({ enabled: false }));
afterAll(() => cluster.close());

async function run(application: string, instrumentations: string) {
  const topic = await cluster.topic();
  return { ...(await runApplication(application, { TOPIC: topic, INSTRUMENTATIONS: instrumentations })), topic };
}

test.each(['app.mjs', 'app.cjs'])('C10: %s is traced without a loader', async (application) => {
  const { spans, topic, warnings } = await run(application, 'ours');
  expect(spans.map(({ name }) => name)).toEqual([`send ${topic}`, `process ${topic}`]);
  expect(spans[1]?.parentId).toBe(spans[0]?.spanId);
  expect(spans[0]?.attributes).toMatchObject({ 'messaging.client.id': 'shop', 'server.address': '127.0.0.1' });
  expect(warnings).toEqual([]);
});

test.each(['ours,upstream', 'upstream,ours'])('registered as %s: one span a message, and a warning', async (order) => {
  const { spans, warnings } = await run('app.cjs', order);
  expect(spans).toHaveLength(2);
  expect(new Set(spans.map(({ scope }) => scope)).size).toBe(1);
  expect(spans[1]?.parentId).toBe(spans[0]?.spanId);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain('another instrumentation');
});

test('registered twice: one span a message', async () => {
  const { spans, warnings } = await run('app.cjs', 'ours,ours');
  expect(spans).toHaveLength(2);
  expect(warnings).toHaveLength(1);
});
