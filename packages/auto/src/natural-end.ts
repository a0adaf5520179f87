/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { exportAtLast, quietly } from './export-in-time';
import type { Telemetry } from './sdk';

/** Exports what is waiting when the event loop has run empty, without keeping the process alive for longer than that. */
export function exportAtNaturalEnd(telemetry: Telemetry, timeoutMs: number): void {
  let areMetricsExported = false;

  // Exporting fills the event loop again, so this event comes again; then only spans that are new since are left to
  // export, and without any nothing holds the process.
  function beforeExit(): void {
    if (areMetricsExported) {
      void quietly(() => telemetry.flush());
      return;
    }
    areMetricsExported = true;
    void exportAtLast(timeoutMs, () => Promise.allSettled([telemetry.flush(), telemetry.flushMetrics()])).then(end);
  }

  process.on('beforeExit', beforeExit);
}

// An exporter that goes on trying would hold the process. Only if the application has no listener of its own is it certain
// that nothing else does: then to exit is what happens anyway.
function end(): void {
  if (process.listenerCount('beforeExit') === 1) process.exit();
}
