/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { diag } from '@opentelemetry/api';

import { report } from './report';

const VARIABLE = 'OTEL_MESSAGING_FLUSH_TIMEOUT';
const DEFAULT_MS = 5000;

/** Milliseconds that the end of the process may be held up to export what is waiting; 0: not at all. */
export function exportTimeoutMs(env: NodeJS.ProcessEnv): number {
  const text = env[VARIABLE]?.trim();
  if (!text) return DEFAULT_MS;
  const milliseconds = Number(text);
  // 2 ** 31 is where Node's timers turn into one millisecond.
  if (milliseconds >= 0 && milliseconds < 2 ** 31) return milliseconds;
  report(`${VARIABLE} is "${text}" and should be a number of milliseconds; ${DEFAULT_MS} is used`);
  return DEFAULT_MS;
}

/**
 * Resolves once `task` has settled or `timeoutMs` have passed, with whether it was in time. Keeps the process alive
 * meanwhile. Never rejects: at the end of the process nobody could do anything about it.
 */
export async function exportInTime(timeoutMs: number, task: () => Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  const isInTime = await Promise.race([quietly(task).then(() => true), tooLate]);
  clearTimeout(timer);
  return isInTime;
}

/** The same as the last thing that the process does: says on standard error if it was not in time. */
export async function exportAtLast(timeoutMs: number, task: () => Promise<unknown>): Promise<void> {
  if (await exportInTime(timeoutMs, task)) return;
  report(`gave up exporting after ${timeoutMs} ms; is there a collector? (${VARIABLE} changes the limit)`);
}

/** Settles with `task`, whose failure becomes a line of `diag`. */
export async function quietly(task: () => Promise<unknown>): Promise<void> {
  try {
    await task();
  } catch (error) {
    diag.warn('@otel-messaging/auto: could not export', error);
  }
}
