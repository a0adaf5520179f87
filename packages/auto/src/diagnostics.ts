/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type DiagLogger, DiagLogLevel, diag } from '@opentelemetry/api';

import { report } from './report';

const API_GLOBAL = Symbol.for('opentelemetry.js.api.1');
// The SDK's remark on a variable that says exactly this.
const EXPECTED = /contains "none"\. SDK will not be initialized/;

/**
 * Shows on standard error what nobody would see otherwise: warnings while the SDK starts (a misspelt exporter, an unknown
 * sampler), and later the warnings of our own instrumentations. Returns the function that says that the SDK has started.
 *
 * With `OTEL_LOG_LEVEL` set, or with a logger of the application, those decide.
 */
export function listenToDiagnostics(): () => void {
  let starting = true;
  const show = (...[message, ...details]: Parameters<DiagLogger['warn']>): void => {
    const ours = message.startsWith('@otel-messaging/');
    if ((ours || starting) && !EXPECTED.test(message)) report([message, ...details.map(summary)].join(' '));
  };
  const quiet = (): void => {};
  const logger: DiagLogger = { error: show, warn: show, info: quiet, debug: quiet, verbose: quiet };
  if (!process.env['OTEL_LOG_LEVEL']?.trim() && !hasLogger()) diag.setLogger(logger, DiagLogLevel.WARN);
  return () => {
    starting = false;
  };
}

function hasLogger(): boolean {
  return (globalThis as { [API_GLOBAL]?: { diag?: unknown } })[API_GLOBAL]?.diag !== undefined;
}

function summary(detail: unknown): string {
  return detail instanceof Error ? detail.message : String(detail);
}
