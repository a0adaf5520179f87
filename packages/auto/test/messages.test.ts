/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { killApplications, PRELOADS, startApplication } from './application';
import { type Collector, type ReceivedSpan, startCollector } from './collector';

const REGISTER = '@otel-messaging/auto/register';
const PRODUCER = 4;
const CONSUMER = 5;

const BROKERS = { sqs: 'SQS_ENDPOINT', amqp: 'RABBITMQ_URL', kafka: 'KAFKA_BROKERS' } as const;

let collector: Collector;

beforeAll(() => {
  const missing = Object.values(BROKERS).filter((variable) => !process.env[variable]);
  if (missing.length > 0) throw new Error(`no broker for these tests: ${missing.join(', ')} not set`);
});

beforeEach(async () => {
  collector = await startCollector();
});

afterEach(async () => {
  killApplications();
  await collector.close();
});

async function send(client: string, fixture: string, preload: string, env: Record<string, string> = {}): Promise<void> {
  const application = startApplication(fixture, {
    args: [client],
    node: [preload, REGISTER],
    env: { ...collector.env, ...env },
  });
  await application.printed('done');
  expect(await application.end).toMatchObject({ code: 0 });
}

function ofKind(kind: number): ReceivedSpan[] {
  return collector.spans.filter((span) => span.scope.startsWith('@otel-messaging/') && span.kind === kind);
}

describe.each(PRELOADS)('with node %s', (preload) => {
  describe.each(['message.cjs', 'message.mjs'])('%s', (fixture) => {
    test.each(Object.keys(BROKERS))('a message through %s is one trace', async (client) => {
      await send(client, fixture, preload);
      const [sent, ...others] = ofKind(PRODUCER);
      const [processed] = ofKind(CONSUMER).filter(({ parentSpanId }) => parentSpanId === sent!.spanId);
      expect(others).toEqual([]);
      expect(processed).toMatchObject({ traceId: sent!.traceId, scope: `@otel-messaging/instrumentation-${client}` });
    });
  });
});

test('an instrumentation that is left out traces nothing', async () => {
  await send('amqp', 'message.cjs', '--require', { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'AMQP' });
  expect(collector.spans).toEqual([]);
});

test('an instrumentation that is the only one enabled traces', async () => {
  await send('amqp', 'message.cjs', '--require', { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'amqp' });
  expect(ofKind(PRODUCER)).toHaveLength(1);
});
