/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { quietly } from './export-in-time';
import type { Telemetry } from './sdk';

const INTERVAL_MS = 50;
const LENGTH_MS = 30_000;

/**
 * Exports spans soon after they end, instead of with the next batch, for the next half minute.
 *
 * For an application that is about to end itself: once it calls `process.exit()` nothing can be exported any more.
 */
export class Tail {
  readonly #telemetry: Telemetry;
  #timer: NodeJS.Timeout | undefined;
  #isExporting = false;

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry;
  }

  /** Whether the half minute is running. */
  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  start(): void {
    if (this.#timer) return;
    this.#timer = setInterval(() => this.#export(), INTERVAL_MS).unref();
    setTimeout(() => this.#stop(), LENGTH_MS).unref();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #export(): void {
    if (this.#isExporting) return;
    this.#isExporting = true;
    void quietly(() => this.#telemetry.flush()).then(() => {
      this.#isExporting = false;
    });
  }
}
