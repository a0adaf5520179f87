/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Context } from '@opentelemetry/api';

/**
 * What is active while a generator waits for messages, for it and for whoever waits for its next value: it stands for what
 * was active before, and from the next message on for the context of that one, which whoever waits will handle.
 */
export class AwaitedContext implements Context {
  private current: Context;
  private isGiven = false;

  /**
   * @param before what is active there otherwise
   * @param walker the generator's function; only the next walk in it is waited for
   */
  constructor(
    readonly before: Context,
    private readonly walker: string,
  ) {
    this.current = before;
  }

  isFor(walker: string): boolean {
    return !this.isGiven && walker === this.walker;
  }

  give(context: Context): void {
    this.isGiven = true;
    this.current = context;
  }

  /** No message will come. */
  close(): void {
    this.isGiven = true;
  }

  /** What it stands for now. */
  get settled(): Context {
    return this.current;
  }

  getValue(key: symbol): unknown {
    return this.current.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return this.current.setValue(key, value);
  }

  deleteValue(key: symbol): Context {
    return this.current.deleteValue(key);
  }
}
