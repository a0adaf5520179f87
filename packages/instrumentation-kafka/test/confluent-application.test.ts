/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type Confluent, confluent, NAME, TestConfluent } from './confluent';
import { describeNative } from './native';
import { runApplication } from './run-application';

describeNative<Confluent>(confluent, `applications of ${NAME}`, (client) => {
  const cluster = new TestConfluent(client);
  afterAll(() => cluster.close());

  test.each([
    ['confluent.cjs', 'without anything else', {}],
    ['confluent.mjs', 'without a loader', {}],
    ['confluent.mjs', 'with a hook of its imports', { ESM_HOOK: '1' }],
  ])('%s is traced, %s: one span for each send and each delivery', async (application, _how, env) => {
    const topic = await cluster.topic();
    const { spans, warnings } = await runApplication(application, { TOPIC: topic, INSTRUMENTATIONS: 'ours', ...env });
    expect(spans.map(({ name }) => name).sort()).toEqual([
      `process ${topic}`,
      `process ${topic}`,
      `send ${topic}`,
      `send ${topic}`,
    ]);
    const sends = spans.filter(({ name }) => name.startsWith('send'));
    const parents = spans.filter(({ name }) => name.startsWith('process')).map(({ parentId }) => parentId);
    expect(parents.sort()).toEqual(sends.map(({ spanId }) => spanId).sort());
    for (const { attributes } of sends) {
      expect(attributes).toMatchObject({ 'messaging.client.id': 'shop', 'server.address': '127.0.0.1' });
    }
    expect(warnings).toEqual([]);
  });

  test('registered twice: one span for each send and each delivery, and a warning', async () => {
    const topic = await cluster.topic();
    const env = { TOPIC: topic, INSTRUMENTATIONS: 'ours,ours' };
    const { spans, warnings } = await runApplication('confluent.cjs', env);
    expect(spans).toHaveLength(4);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('another instrumentation');
  });
});
