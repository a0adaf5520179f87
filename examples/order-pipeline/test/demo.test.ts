/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// The whole demo as a person would start it; needs the brokers and a build, as `npm test` has them.
const folder = mkdtempSync(join(tmpdir(), 'order-pipeline-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function demo(...parameters: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [join(__dirname, '..', 'run.js'), ...parameters], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}

test('the demo ends with verified traces and a page', async () => {
  const page = join(folder, 'trace.html');
  const { code, output } = await demo('--orders', '24', '--html', page);
  expect(output).toContain('✓ every consumer span under its own producer');
  expect(output).not.toContain('✗ every');
  expect(code).toBe(0);
  expect(readFileSync(page, 'utf8')).toContain('"id":"A-024"');
}, 90_000);

test('beside the services without tracing it shows what is gained', async () => {
  const { code, output } = await demo('--without', '--orders', '12', '--html', join(folder, 'compared.html'));
  expect(output).toMatch(/orders with one whole trace +0 of 12 +12 of 12/);
  expect(code).toBe(0);
}, 90_000);

test('an option that does not exist is refused at once', async () => {
  const { code, output } = await demo('--fast');
  expect(output).toContain('usage: npm run demo');
  expect(code).toBe(2);
});
