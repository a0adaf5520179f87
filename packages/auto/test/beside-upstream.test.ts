/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { killApplications, runApplication } from './application';
import { type Collector, startCollector } from './collector';

const UPSTREAMS = ['http', 'aws-sdk', 'amqplib', 'kafkajs'];

let collector: Collector;
let application: string;

beforeEach(async () => {
  collector = await startCollector();
  application = mkdtempSync(join(tmpdir(), 'otel-messaging-'));
  const folder = join(application, 'node_modules/@opentelemetry/auto-instrumentations-node');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.js'), PACKAGE);
});

afterEach(async () => {
  killApplications();
  rmSync(application, { recursive: true });
  await collector.close();
});

// Upstream's own instrumentations behind the function of its package, which is not among this repository's dependencies.
const PACKAGE = `
require('http');
const modules = ${JSON.stringify(UPSTREAMS.map((name) => [name, require.resolve(`@opentelemetry/instrumentation-${name}`)]))};
const classes = modules.map(([name, path]) => [name, Object.values(require(path)).find((each) => /Instrumentation$/.test(each.name))]);
exports.getNodeAutoInstrumentations = (config) => classes
  .filter(([name]) => config['@opentelemetry/instrumentation-' + name]?.enabled !== false)
  .map(([, Class]) => new Class());
`;

/** Runs a fixture beside the package, and returns which instrumentation made how many spans. */
async function scopes(
  fixture: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<Record<string, number>> {
  const node = ['--require', join(__dirname, '../build/register.js')];
  const end = await runApplication(fixture, { args, node, cwd: application, env: { ...collector.env, ...env } });
  expect(end).toMatchObject({ code: 0, stdout: 'done\n' });
  const counts: Record<string, number> = {};
  for (const { scope } of collector.spans) counts[scope] = (counts[scope] ?? 0) + 1;
  return counts;
}

test.each(['one-request.cjs', 'one-request.mjs'])('HTTP is traced once (%s)', async (fixture) => {
  expect(await scopes(fixture, [])).toEqual({ '@opentelemetry/instrumentation-http': 2 });
});

test.each([
  ['sqs', 'aws-sdk'],
  ['amqp', 'amqplib'],
  ['kafka', 'kafkajs'],
])('messages through %s are traced by ours alone, and without ours by %s', async (ours, upstream) => {
  const withOurs = await scopes('message.cjs', [ours]);
  expect(withOurs).toHaveProperty([`@otel-messaging/instrumentation-${ours}`]);
  expect(withOurs).not.toHaveProperty([`@opentelemetry/instrumentation-${upstream}`]);

  const all = await scopes('message.cjs', [ours], { OTEL_NODE_DISABLED_INSTRUMENTATIONS: ours });
  expect(all).toHaveProperty([`@opentelemetry/instrumentation-${upstream}`]);
  expect(all[`@otel-messaging/instrumentation-${ours}`]).toBe(withOurs[`@otel-messaging/instrumentation-${ours}`]);
});
