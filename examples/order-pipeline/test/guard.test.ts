/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { spawn } from 'node:child_process';
import { join } from 'node:path';

const GUARD = join(__dirname, '..', 'lib', 'guard.cjs');

/** A parent that starts a guarded child, tells its pid, and lives until it is killed. */
const PARENT = `
  const { spawn } = require('node:child_process');
  const child = spawn(process.execPath, ['--require', process.argv[1], '-e', 'setInterval(() => {}, 1000); console.log("up")'], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'], detached: true,
  });
  child.stdout.once('data', () => console.log(child.pid));
`;

test('a service is gone soon after its parent was killed', async () => {
  const parent = spawn(process.execPath, ['-e', PARENT, GUARD], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (data) => resolve(Number(data))));
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  const deadline = Date.now() + 5_000;
  while (isAlive(pid) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(isAlive(pid)).toBe(false);
}, 10_000);

test('a guarded process that has nothing left to do ends by itself', async () => {
  const child = spawn(process.execPath, ['--require', GUARD, '-e', '1'], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  expect(code).toBe(0);
}, 10_000);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch {
    return false;
  }
}

/** Nobody may be there to collect an orphan's exit code; it is gone all the same. */
function isZombie(pid: number): boolean {
  try {
    const { readFileSync } = require('node:fs') as typeof import('node:fs');
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
