/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

// The whole example as a person would start it; needs the broker and a build, as `npm test` has them.
test('every order is one trace, whatever it goes through', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(__dirname, '..', 'run.js')]);
  expect(stdout.match(/^[✓✗].*$/gm)).toEqual([
    '✓ every delivery has one span',
    '✓ one trace per order, from the request to the last handler',
    '✓ attempts are counted',
    '✓ dead letters say where they died, and why',
    '✓ no orphan span',
  ]);
  expect(stdout).toMatch(/consume \S*dead CONSUMER {retry 2} {settled ack} {died in \S*billing} {cause rejected}/);
}, 90_000);
