/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { metrics, trace } from '@opentelemetry/api';

/** Milliseconds that are left to the function itself after the export. */
const RESERVE_MS = 100;

/** Under way still; while it is, nobody waits for another one. */
let pending: Promise<unknown> | undefined;

/**
 * Exports what was recorded, before Lambda freezes the process; resolves when that is done or the time is up. Undefined
 * where there is nothing to wait for. Never rejects.
 * @param remainingMs until Lambda ends the function for being too slow
 */
export function flushBeforeFreeze(limitMs: number, remainingMs: number): Promise<void> | undefined {
  const timeMs = Math.min(limitMs, remainingMs - RESERVE_MS);
  if (!(timeMs > 0) || pending !== undefined) return undefined;
  const parts = exportingParts();
  if (parts.length === 0) return undefined;
  // One that fails is no reason not to wait for the others; the SDK has told its own diagnostics.
  const all = Promise.allSettled(parts.map(async (part) => part?.forceFlush?.()));
  pending = all;
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeMs);
    void all.then(() => {
      pending = undefined;
      clearTimeout(timer);
      resolve();
    });
  });
}

interface Flushable {
  forceFlush?(): Promise<unknown>;
}

function exportingParts(): (Flushable | undefined)[] {
  try {
    return exporting().filter((part) => typeof part?.forceFlush === 'function');
  } catch {
    return []; // a provider of the application's that throws
  }
}

function exporting(): (Flushable | undefined)[] {
  const provider = delegateOf(trace.getTracerProvider());
  const exporting = [provider, ...spanExporters(provider), delegateOf(metrics.getMeterProvider())];
  const logs = loggerProvider();
  return logs === undefined ? exporting : [...exporting, delegateOf(logs)];
}

/** Where each version of the API keeps the logger provider, for all of them. */
const LOGS = Symbol.for('io.opentelemetry.js.api.logs');
const API = Symbol.for('opentelemetry.js.api.1');

/** The registered logger provider; the package that gives it is no dependency of ours, and part of the API from 1.10 on. */
function loggerProvider(): object | undefined {
  const { [LOGS]: get, [API]: api } = globalThis as { [LOGS]?: (version: number) => object; [API]?: { logs?: object } };
  return get?.(1) ?? api?.logs;
}

/** The provider behind the API's proxy. */
function delegateOf(provider: object): Flushable {
  const { getDelegate } = provider as { getDelegate?(): Flushable };
  return typeof getDelegate === 'function' ? getDelegate.call(provider) : (provider as Flushable);
}

/** A batch that a timer of its processor has sent is waited for by the exporter alone; nothing public leads there. */
function spanExporters(provider: object): (Flushable | undefined)[] {
  const { _activeSpanProcessor: processor } = provider as {
    _activeSpanProcessor?: { _spanProcessors?: { _exporter?: Flushable }[] };
  };
  return processor?._spanProcessors?.map(({ _exporter }) => _exporter) ?? [];
}
