/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { AnyFunction, BatchProcessOperation } from '@otel-messaging/messaging-common';
import type { LambdaRecord } from './lambda-record';
import { outcomeOfError, outcomeOfResult } from './lambda-result';

/** One call of a function's handler, however it answers. */
export class Invocation {
  /**
   * @param operation undefined for an event without messages, which is exported all the same
   * @param flush exports what was recorded; undefined where nobody has to wait
   */
  constructor(
    private readonly records: readonly LambdaRecord[],
    private readonly operation: BatchProcessOperation | undefined,
    private readonly flush: () => Promise<void> | undefined,
  ) {}

  run(handler: AnyFunction, thisArg: unknown, args: unknown[]): unknown {
    const { operation } = this;
    operation?.hold(); // for the outcome of one that throws
    try {
      const result = operation ? operation.run(handler, thisArg, ...args) : handler.apply(thisArg, args);
      operation?.conclude();
      return result;
    } catch (error) {
      operation?.conclude(outcomeOfError(this.records, error));
      void this.flush(); // as far as the runtime gives time for it
      throw error;
    }
  }

  /** A promise for the handler's, which settles in the same way once everything is exported. */
  afterPromise(promise: PromiseLike<unknown>): Promise<unknown> {
    return Promise.resolve(promise).then(
      (value) => {
        this.succeeded(value);
        const flushed = this.flush();
        return flushed === undefined ? value : flushed.then(() => value);
      },
      async (error) => {
        this.failed(error);
        await this.flush();
        throw error;
      },
    );
  }

  /** A callback for the runtime's, which is called once everything is exported. */
  afterCallback(callback: AnyFunction): AnyFunction {
    const invocation = this;
    let hasAnswered = false;
    return function (this: unknown, ...answer: unknown[]) {
      if (hasAnswered) return callback.apply(this, answer);
      hasAnswered = true;
      const [error, value] = answer;
      if (error === undefined || error === null) invocation.succeeded(value);
      else invocation.failed(error);
      const flushed = invocation.flush();
      if (flushed === undefined) return callback.apply(this, answer);
      return void flushed.then(() => callback.apply(this, answer));
    };
  }

  succeeded(value: unknown): void {
    this.operation?.guarded('read the result of a handler', () => {
      this.operation?.end(outcomeOfResult(this.records, value));
    });
    this.operation?.end(); // of a result that cannot be read
  }

  /** Nobody has said how it went. */
  abandoned(): void {
    this.operation?.end();
  }

  private failed(error: unknown): void {
    this.operation?.end(outcomeOfError(this.records, error));
  }
}
