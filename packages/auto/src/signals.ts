/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { exportInTime, quietly } from './export-in-time';
import type { Telemetry } from './sdk';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
const TAIL_INTERVAL_MS = 50;
const TAIL_MS = 30_000;
const SIGNAL_EXIT = Symbol.for('signal-exit emitter');

type Signal = (typeof SIGNALS)[number];

/**
 * Exports what is waiting when the process is asked to end, and lets it end as it would without us.
 *
 * Without a listener of the application the process ends by the signal, after the export. With one, that one decides:
 * exporting goes on beside it and ends nothing.
 */
export function exportOnSignals(telemetry: Telemetry, timeoutMs: number): void {
  let isEnding = false;
  for (const signal of SIGNALS) {
    process.prependListener(signal, onSignal);

    function onSignal(): void {
      if (isEnding) leave(signal, onSignal);
      else if (hasOwner(signal, onSignal)) stepAside();
      else end();
    }

    function stepAside(): void {
      // Many listeners look whether they are the last one. While they run they see the list as it is without us.
      process.removeListener(signal, onSignal);
      setImmediate(() => {
        if (process.listenerCount(signal) > 0) process.prependListener(signal, onSignal);
      });
      exportTail(telemetry);
    }

    function end(): void {
      // The kernel keeps a signal that nobody listens to from process 1: without us it would go on running.
      if (process.pid === 1) return void quietly(() => telemetry.flush());
      isEnding = true;
      // With nobody listening a second signal ends the process at once.
      if (process.listenerCount(signal) === 1) process.removeListener(signal, onSignal);
      void exportInTime(timeoutMs, () => telemetry.shutdown()).then(() => leave(signal, onSignal));
    }
  }
}

/** Whether a listener of the application decides about the end of the process. */
function hasOwner(signal: Signal, ours: () => void): boolean {
  return process.listeners(signal).filter((listener) => listener !== ours).length > deferentialListeners();
}

// The package signal-exit (a dependency of many tools) listens too, but re-raises the signal if nobody else listens. It
// counts its listeners where all its versions can see them; taken for an owner, each would wait for the other for ever.
function deferentialListeners(): number {
  const older = (process as { __signal_exit_emitter__?: { count?: number } }).__signal_exit_emitter__;
  const newer = (globalThis as { [SIGNAL_EXIT]?: { count?: number } })[SIGNAL_EXIT];
  return (older?.count ?? 0) + (newer?.count ?? 0);
}

function leave(signal: Signal, listener: () => void): void {
  process.removeListener(signal, listener);
  process.kill(process.pid, signal);
}

// The application may call process.exit() at any moment now, after which nothing can be exported any more. So whatever
// ends leaves at once instead of with the next batch; an application that stays goes back to batches.
function exportTail(telemetry: Telemetry): void {
  let isExporting = false;
  function exportSpans(): void {
    if (isExporting) return;
    isExporting = true;
    void quietly(() => telemetry.flush()).then(() => {
      isExporting = false;
    });
  }
  exportSpans();
  void quietly(() => telemetry.flushMetrics());
  const timer = setInterval(exportSpans, TAIL_INTERVAL_MS).unref();
  setTimeout(() => clearInterval(timer), TAIL_MS).unref();
}
