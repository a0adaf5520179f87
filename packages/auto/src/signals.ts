/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { exportAtLast, exportInTime } from './export-in-time';
import type { Telemetry } from './sdk';
import { Tail } from './tail';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
const MAX_HOLD_MS = 500;

type Signal = (typeof SIGNALS)[number];

/**
 * Exports what is waiting when the process is asked to end, and lets it end as it would without us.
 *
 * The application's listeners get the signal once the export is over, at most half a second late, and decide. Without a
 * listener the process ends by the signal after at most `timeoutMs`. A second signal waits for nothing.
 */
export function exportOnSignals(telemetry: Telemetry, timeoutMs: number): void {
  const ending = new Ending(telemetry, timeoutMs);
  const emit = process.emit;
  // A listener could not hold the others back, and one of them may well call process.exit() at once.
  process.emit = function (this: NodeJS.Process, event: string, ...args: unknown[]) {
    if (isSignal(event, args)) return ending.receive(event, () => Reflect.apply(emit, this, [event, ...args]));
    return Reflect.apply(emit, this, [event, ...args]);
  } as typeof emit;
  for (const signal of SIGNALS) ending.listen(signal);
}

/** A signal that the system sent comes with its number; one that the application emits by itself is none of ours. */
function isSignal(event: string, args: readonly unknown[]): event is Signal {
  return (SIGNALS as readonly string[]).includes(event) && typeof args[1] === 'number';
}

class Ending {
  readonly #telemetry: Telemetry;
  readonly #timeoutMs: number;
  readonly #tail: Tail;
  /** Delivers the signal that is held back now. */
  #held: (() => void) | undefined;
  #isLast = false;

  constructor(telemetry: Telemetry, timeoutMs: number) {
    this.#telemetry = telemetry;
    this.#timeoutMs = timeoutMs;
    this.#tail = new Tail(telemetry);
  }

  /** Makes Node deliver `signal` to `process.emit`, and to the one that is there now. */
  listen(signal: Signal): void {
    const earlier = process.rawListeners(signal) as (() => void)[];
    process.removeAllListeners(signal);
    process.on(signal, this.#onUnheldSignal);
    for (const listener of earlier) process.on(signal, listener);
  }

  receive(signal: Signal, emit: () => boolean): boolean {
    const deliver = () => this.#deliver(signal, emit);
    if (!this.#hasOwner(signal)) this.#endBy(signal);
    else if (this.#held || this.#tail.isRunning) this.#deliverAtOnce(deliver);
    else this.#hold(deliver);
    return true;
  }

  #hold(deliver: () => void): void {
    this.#held = () => {
      this.#held = undefined;
      this.#tail.start();
      deliver();
    };
    const held = this.#held;
    const limitMs = Math.min(this.#timeoutMs, MAX_HOLD_MS);
    const work = () => Promise.allSettled([this.#telemetry.flush(), this.#telemetry.flushMetrics()]);
    // Not from the promise: what a listener throws there would be an unhandled rejection.
    void exportInTime(limitMs, work).then(() => setImmediate(() => this.#held === held && held()));
  }

  #deliverAtOnce(deliver: () => void): void {
    this.#held?.();
    deliver();
  }

  // Many listeners look whether they are the last one: while they run they see the list as it is without us.
  #deliver(signal: Signal, emit: () => boolean): void {
    if (!this.#hasOwner(signal)) {
      this.#endBy(signal);
      return;
    }
    process.removeListener(signal, this.#onUnheldSignal);
    try {
      emit();
    } finally {
      setImmediate(() => this.#listenAgain(signal));
    }
  }

  #listenAgain(signal: Signal): void {
    const listeners = process.listeners(signal);
    if (listeners.length === 0 || listeners.includes(this.#onUnheldSignal)) return;
    process.prependListener(signal, this.#onUnheldSignal);
  }

  #endBy(signal: Signal): void {
    // The kernel keeps a signal that nobody listens to from process 1: without us it would go on running.
    if (process.pid === 1) return void exportAtLast(this.#timeoutMs, () => this.#telemetry.flush());
    // With nobody listening a second signal ends the process at once.
    process.removeListener(signal, this.#onUnheldSignal);
    if (this.#isLast) return void process.kill(process.pid, signal);
    this.#isLast = true;
    void exportAtLast(this.#timeoutMs, () => this.#telemetry.shutdown()).then(() => process.kill(process.pid, signal));
  }

  // Reached only if somebody replaced process.emit: then nothing can be held, but the process still has to end.
  readonly #onUnheldSignal = (signal: NodeJS.Signals, number?: number): void => {
    if (number !== undefined && !this.#hasOwner(signal)) this.#endBy(signal as Signal);
  };

  #hasOwner(signal: NodeJS.Signals): boolean {
    return process.listeners(signal).some((listener) => listener !== this.#onUnheldSignal);
  }
}
