/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('child.cjs', import.meta.url));
const CHILD_TIMEOUT_MS = 60_000;

/** One contestant's result in one cell, from a process of its own; rejects with what the process wrote when it failed. */
export function runChild({ runtime, client, op, mode }, contestant, settings) {
  const args = ['--expose-gc', '--no-warnings', CHILD];
  const values = { client, op, mode, contestant, ...settings };
  for (const [name, value] of Object.entries(values)) args.push(`--${name}`, String(value));
  // Preloads and OTEL_ settings of the caller would change what is measured.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => name !== 'NODE_OPTIONS' && !name.startsWith('OTEL_')),
  );
  return new Promise((resolve, reject) => {
    execFile(runtime.binary, args, { env, timeout: CHILD_TIMEOUT_MS }, (error, stdout, stderr) => {
      if (error) reject(new Error(stderr.trim() || error.message));
      else resolve(JSON.parse(stdout));
    });
  });
}
