/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

// The whole example as a person would start it; needs the broker and a build, as `npm test` has them.
test('the traces of a Lambda function are whole', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(__dirname, '../run.mjs')]);
  expect(stdout.match(/✓/g)).toHaveLength(5);
  expect(stdout).toContain('process orders CONSUMER !BatchItemFailure {settlement=retry}  [lambda]');
}, 60_000);
