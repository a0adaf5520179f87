/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { isMainThread } from 'node:worker_threads';

const MAX_LINES = 100;

const reported = new Set<string>();

/**
 * Prints one line on standard error, once per process and text, at most a hundred.
 *
 * For what the person who starts the process has to know. `diag` is no place for it: by default nobody listens there.
 */
export function report(text: string): void {
  if (!isMainThread || reported.has(text) || reported.size >= MAX_LINES) return;
  reported.add(text);
  try {
    process.stderr.write(`[@otel-messaging/auto] ${text}\n`);
  } catch {
    // A closed standard error is the application's affair.
  }
}

/** The result of `code`, or `undefined` after one line on standard error: `task` completes "could not …". */
export function attempt<T>(task: string, code: () => T): T | undefined {
  try {
    return code();
  } catch (error) {
    report(`could not ${task}: ${firstLine(error)}`);
    return undefined;
  }
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0]!;
}
