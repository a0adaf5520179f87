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
  const parts = exporting().filter((part) => typeof part?.forceFlush === 'function');
  if (parts.length === 0) return undefined;
  const all = Promise.all(parts.map(async (part) => part?.forceFlush?.())).catch(() => {
    // The SDK has told its own diagnostics.
  });
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

function exporting(): (Flushable | undefined)[] {
  const provider = delegateOf(trace.getTracerProvider());
  return [provider, ...spanExporters(provider), delegateOf(metrics.getMeterProvider())];
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
