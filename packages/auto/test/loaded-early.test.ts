/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

async function warnings(...steps: string[]): Promise<string[]> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const args = ['--no-warnings', join(__dirname, 'fixtures/loaded-early.cjs'), ...steps];
  return JSON.parse((await promisify(execFile)(process.execPath, args, { env })).stdout) as string[];
}

const NAMES = {
  sqs: ['@aws-sdk/client-sqs', '@aws-sdk/client-sns', 'sqs-consumer'],
  amqp: ['amqplib'],
  kafka: ['kafkajs'],
};
const MODULES = Object.entries(NAMES).flatMap(([system, names]) => names.map((name) => [system, name] as const));

test.each(MODULES)('%s: %s that was loaded before the instrumentations is warned of', async (system, name) => {
  const instrumentation = `@otel-messaging/instrumentation-${system}`;
  const text = 'loaded before this instrumentation was registered, and not traced:';
  const said = await warnings(`require:${name}`, 'register');
  expect(said).toEqual([expect.stringContaining(`${instrumentation} ${text}`)]);
  expect(said[0]).toContain(name);
});

test.each(['@aws-sdk/client-sqs', 'amqplib', 'kafkajs'])('%s too, where an ES module has loaded it', async (name) => {
  expect(await warnings(`import:${name}`, 'register')).toEqual([expect.stringMatching(new RegExp(`${name}$`))]);
});

test('all modules of one instrumentation are in one warning', async () => {
  const [warning, ...others] = await warnings(...NAMES.sqs.slice(0, 2).map((name) => `require:${name}`), 'register');
  expect(warning).toMatch(/: @aws-sdk\/client-sqs, @aws-sdk\/client-sns$/);
  expect(others).toEqual([]);
});

test.each([
  ['nothing was loaded', ['register']],
  ['all is loaded afterwards', ['register', ...MODULES.map(([, name]) => `require:${name}`)]],
  ['all is imported afterwards', ['register', ...MODULES.map(([, name]) => `import:${name}`)]],
  ['a manifest was read', ['require:kafkajs/package.json', 'register']],
  [
    'the application requires the client once more',
    ['require:@aws-sdk/client-sqs', 'register', 'require:@aws-sdk/client-sqs'],
  ],
  [
    'another client of Amazon requires their base class',
    ['require:@aws-sdk/client-sqs', 'register', 'require:@aws-sdk/client-sns'],
  ],
  ['the base class of clients was loaded', ['require:@smithy/core/client', 'register', 'import:@aws-sdk/client-sqs']],
])('nothing is said where %s', async (_, steps) => {
  expect(await warnings(...steps)).toEqual([]);
});
