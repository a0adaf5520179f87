/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { brokerUrl } from './broker';

export const FIXTURES = join(__dirname, 'fixtures');

/** A fixture in a process of its own, started as a user would start it. */
export function run(fixture: string, args: readonly string[] = [], node: readonly string[] = [], status = 0) {
  if (!existsSync(join(__dirname, '../build/index.js'))) throw new Error('nothing is built: run "npx tsc -b"');
  const result = spawnSync(process.execPath, [...node, join(FIXTURES, fixture), ...args], {
    encoding: 'utf8',
    timeout: 20_000,
    env: { ...process.env, RABBITMQ_URL: brokerUrl(), NODE_OPTIONS: '' },
  });
  if (result.status !== status) throw new Error(`${fixture} ended with ${result.status}: ${result.stderr}`);
  return result;
}
