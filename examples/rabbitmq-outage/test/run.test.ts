/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

// The whole example as a person would start it; needs the broker and a build, as `npm test` has them.
test('orders that are taken during an outage are traces like any other', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(__dirname, '..', 'run.js')]);
  expect(stdout.match(/^[✓✗].*$/gm)).toEqual([
    '✓ one trace per order, from the request to the mail',
    '✓ one publish per order, however long it waited',
    '✓ a publish that waited for the outage to end is as long as it waited',
    '✓ the mail is sent within the handling of the order',
    '✓ no orphan span',
  ]);
}, 90_000);
