/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const PACKAGE = join(__dirname, '..');
const FIXTURES = join(__dirname, 'fixtures');

/** The ways to start the preload; both have to serve every kind of application. */
export const PRELOADS = ['--require', '--import'] as const;

export interface ApplicationOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Options of Node; the preload by `--require` if not given. */
  readonly node?: readonly string[];
  readonly cwd?: string;
}

export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A fixture application in a process of its own, started as a user would start it. */
export interface Application {
  /** Resolves when the application has printed `text`. */
  printed(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  readonly end: Promise<End>;
}

const running = new Set<ChildProcess>();

export function startApplication(fixture: string, options: ApplicationOptions = {}): Application {
  if (!existsSync(join(PACKAGE, 'build/register.js'))) throw new Error('the preload is not built: run "npx tsc -b"');
  const { args = [], env = {}, node = ['--require', '@otel-messaging/auto/register'], cwd = PACKAGE } = options;
  const child = spawn(process.execPath, [...node, resolve(FIXTURES, fixture), ...args], { cwd, env: environment(env) });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const end = new Promise<End>((ended) => {
    child.on('close', (code, signal) => {
      running.delete(child);
      ended({ code, signal, stdout, stderr });
    });
  });
  return {
    end,
    kill: (signal) => void child.kill(signal),
    printed: (text) =>
      new Promise((found, reject) => {
        const look = () => stdout.includes(text) && found();
        child.stdout.on('data', look);
        child.on('close', () => reject(new Error(`ended without printing "${text}":\n${stdout}${stderr}`)));
        look();
      }),
  };
}

/** Runs a fixture, or a file elsewhere, to its end. */
export function runApplication(fixture: string, options?: ApplicationOptions): Promise<End> {
  return startApplication(fixture, options).end;
}

/** Ends what a failed test left running. */
export function killApplications(): void {
  for (const child of running) child.kill('SIGKILL');
}

// Nothing of the environment that the tests themselves run in may decide what is traced.
function environment(env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([key]) => !key.startsWith('OTEL_') && key !== 'NODE_OPTIONS');
  return { ...Object.fromEntries(kept), OTEL_SERVICE_NAME: 'fixture', ...env };
}
