/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killApplications, runApplication } from './application';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'otel-messaging-'));
});

afterEach(() => {
  killApplications();
  rmSync(folder, { recursive: true });
});

// The hook of imports gives up such a module, and from Node 22 on took it for an ES module then.
test('a CommonJS client that looks for a module it can do without is imported as it is', async () => {
  const client = join(folder, 'node_modules/amqplib');
  mkdirSync(client, { recursive: true });
  writeFileSync(join(client, 'package.json'), '{ "name": "amqplib", "version": "0.10.9", "main": "main.js" }');
  const main = "try { module.exports = { ...require('./native') }; } catch { exports.connect = () => 'without it'; }";
  writeFileSync(join(client, 'main.js'), main);
  writeFileSync(join(folder, 'app.mjs'), "console.log((await import('amqplib')).connect());");
  const node = ['--require', join(__dirname, '../build/register.js')];
  const end = await runApplication(join(folder, 'app.mjs'), { node, cwd: folder });
  expect(end).toMatchObject({ code: 0, stdout: 'without it\n' });
});
