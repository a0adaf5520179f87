/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

test('the example shows its traces, and they are as it says', async () => {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, [join(__dirname, '../run.js')], { env });
  expect(stdout).toContain('✓ 6 deliveries, each in the trace of the message that was published');
  expect(stdout.match(/process billing CONSUMER/g)).toHaveLength(3);
  expect(stdout.match(/process mail CONSUMER/g)).toHaveLength(3);
});
