/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brokerUrl } from './broker';

const FIXTURES = join(__dirname, 'fixtures');

test('an application in a process of its own, in both APIs', () => {
  expect(run('scenario.cjs').stdout).toBe(readFileSync(join(FIXTURES, 'scenario.txt'), 'utf8'));
});

test('an application of ES modules, without a loader', () => {
  expect(run('module.mjs', [], ['--require', join(FIXTURES, 'preload.cjs')]).stdout).toBe(
    [
      'app INTERNAL',
      '└─ publish queue PRODUCER',
      '   └─ consume queue CONSUMER {messaging.message.settlement=ack}  → publish queue',
      '',
    ].join('\n'),
  );
});

test('a rejection that a consumer forgets ends the process as it does without us', () => {
  const ends = ['traced', 'plain'].map((how) => run('forgotten-rejection.cjs', [how], [], 1));
  for (const { stderr } of ends) expect(stderr).toMatch(/RangeError: forgotten\n\s+at /);
});

function run(fixture: string, args: readonly string[] = [], node: readonly string[] = [], status = 0) {
  if (!existsSync(join(__dirname, '../build/index.js'))) throw new Error('nothing is built: run "npx tsc -b"');
  const result = spawnSync(process.execPath, [...node, join(FIXTURES, fixture), ...args], {
    encoding: 'utf8',
    timeout: 20_000,
    env: { ...process.env, RABBITMQ_URL: brokerUrl(), NODE_OPTIONS: '' },
  });
  if (result.status !== status) throw new Error(`${fixture} ended with ${result.status}: ${result.stderr}`);
  return result;
}
