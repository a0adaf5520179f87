/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const FIXTURES = join(__dirname, 'fixtures');

// With the versions of this repository, through the real hooks; with all others by `npm run test:versions`.
test.each(['client', 'sqs-consumer'])('an application of %s leaves these traces', async (name) => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(FIXTURES, `${name}.cjs`)]);
  expect(stdout).toBe(readFileSync(join(FIXTURES, `${name}.txt`), 'utf8'));
});
