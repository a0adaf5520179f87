/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Context } from '@opentelemetry/api';

/** Stands for one context, and later for another. What is made of it then is made of that one. */
export class StandInContext implements Context {
  current: Context;

  constructor(readonly before: Context) {
    this.current = before;
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

/**
 * What is active while a generator waits for messages, for it and for whoever waits for its next value: it stands for what
 * was active before, and from the next message on for the context of that one, which whoever waits will handle.
 */
export class AwaitedContext extends StandInContext {
  /** Whether there was any: few applications poll in generators, and others need not ask each context. */
  static isUsed = false;
  private isOpen = true;

  /**
   * @param before what is active there otherwise
   * @param walker the generator's function; only the next walk in it is waited for
   */
  constructor(
    before: Context,
    private readonly walker: string,
  ) {
    super(before);
    AwaitedContext.isUsed = true;
  }

  isFor(walker: string): boolean {
    return this.isOpen && walker === this.walker;
  }

  give(context: Context): void {
    this.isOpen = false;
    this.current = context;
  }

  /** No message will come. */
  close(): void {
    this.isOpen = false;
  }
}
