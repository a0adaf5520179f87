/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

// The whole example as a person would start it; needs the broker and a build, as `npm test` has them.
test('every question is one trace, whomever it asks', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(__dirname, '..', 'run.js')]);
  expect(stdout.match(/^[✓✗].*$/gm)).toEqual([
    '✓ every call was seen',
    '✓ a call is a request, its handling, the reply, its handling, each below the one before',
    '✓ one trace per question, whatever it asks of others',
    "✓ names that the broker makes up are in no span's name",
    '✓ no orphan span',
  ]);
}, 90_000);
