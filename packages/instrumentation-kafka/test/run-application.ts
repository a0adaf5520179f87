/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const FIXTURES = join(__dirname, 'fixtures');

interface Recorded {
  readonly spans: readonly {
    readonly name: string;
    readonly scope: string;
    readonly spanId: string;
    readonly parentId?: string;
    readonly attributes: Readonly<Record<string, unknown>>;
  }[];
  readonly warnings: readonly string[];
}

/** Runs a real application in a process of its own, with the real hooks and what `npm run build` made. */
export async function runApplication(application: string, env: Readonly<Record<string, string>>): Promise<Recorded> {
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  const args = ['--require', join(FIXTURES, 'register.cjs'), join(FIXTURES, application)];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...inherited, ...env },
    timeout: 25_000,
  });
  return JSON.parse(stdout) as Recorded;
}
