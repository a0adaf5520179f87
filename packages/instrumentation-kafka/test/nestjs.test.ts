/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FIXTURES = join(__dirname, 'fixtures');

// Promises, streams, replies and errors: all inside of a process span, or a line would say what is not.
test('handlers of NestJS are covered, in events and in requests with replies', () => {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const args = ['--require', join(FIXTURES, 'nestjs-preload.cjs'), join(FIXTURES, 'nestjs.cjs')];
  const stdout = execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 25_000, env });
  expect(stdout).toBe(readFileSync(join(FIXTURES, 'nestjs.txt'), 'utf8'));
});
