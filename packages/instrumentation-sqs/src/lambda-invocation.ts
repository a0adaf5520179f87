/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Context } from '@opentelemetry/api';
import type { AnyFunction, BatchProcessOperation } from '@otel-messaging/messaging-common';
import { type Answer, Answers } from './lambda-answers';
import type { LambdaRecord } from './lambda-record';
import { outcomeOfError, outcomeOfResult } from './lambda-result';

/** What a handler is called with. */
export interface EventInHand {
  /** What is active where the runtime calls. */
  readonly ambient: Context;
  /** As delivered: the application may change the event. */
  readonly records: readonly LambdaRecord[];
  /** Undefined for an event without messages, which is exported all the same. */
  readonly operation: BatchProcessOperation | undefined;
  /** Called when the event is handled. */
  settle(): void;
}

/** One call of a function's handler, however it answers. */
export class Invocation {
  readonly answers: Answers;

  /** @param flush exports what was recorded; undefined where nobody has to wait */
  constructor(
    private readonly event: EventInHand,
    flush: () => Promise<void> | undefined,
  ) {
    this.answers = new Answers(event.ambient, (answer) => {
      if ('error' in answer) this.failed(answer.error);
      else this.succeeded(answer.value);
      return flush();
    });
  }

  run(handler: AnyFunction, thisArg: unknown, args: unknown[]): unknown {
    // An operation that saw the error itself would end without saying what becomes of its messages.
    const attempt = (): Answer => {
      try {
        return { value: handler.apply(thisArg, args) };
      } catch (error) {
        return { error };
      }
    };
    const answer = this.event.operation ? this.event.operation.run(attempt, undefined) : attempt();
    if (!('error' in answer)) return answer.value;
    this.answers.byThrow(answer.error);
    throw answer.error;
  }

  succeeded(value: unknown): void {
    this.event.operation?.guarded('read the result of a handler', () => {
      this.event.operation?.end(outcomeOfResult(this.event.records, value));
    });
    this.abandoned(); // with a result that cannot be read
  }

  /** Nobody has said how it went. */
  abandoned(): void {
    this.event.operation?.end();
    this.forget();
  }

  private failed(error: unknown): void {
    this.event.operation?.end(outcomeOfError(this.event.records, error));
    this.forget();
  }

  private forget(): void {
    this.event.operation?.guarded('forget records', this.event.settle);
  }
}
