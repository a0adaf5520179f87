/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type Attributes, type Context, context as contextApi, type Span, SpanStatusCode } from '@opentelemetry/api';
import { errorType } from './errors';
import type { Outcome } from './operation';
import type { OperationPlan } from './plan';
import { isObservable } from './promises';
import { ATTR_ERROR_TYPE } from './semconv';
import type { Telemetry } from './telemetry';

/**
 * One span's life between start and end, with its metrics: runs the client's call, watches how it ends, ends once.
 * Nothing in here throws but what the call itself throws.
 */
export abstract class ActiveOperation {
  protected isEnded = false;
  protected startedMs: number = performance.now();

  protected constructor(
    protected readonly telemetry: Telemetry,
    public plan: OperationPlan,
  ) {}

  /** The span, or undefined where none is made. */
  abstract readonly span: Span | undefined;
  /** The context that the call runs in. */
  abstract readonly context: Context;

  /** Calls `fn` in the operation's context; a throw ends the operation and passes on. */
  run<A extends unknown[], R>(fn: (...args: A) => R, thisArg: unknown, ...args: A): R {
    try {
      return contextApi.with(this.context, fn as (...args: A) => ReturnType<typeof fn>, thisArg as undefined, ...args);
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  /**
   * A promise to hand to the application in the client's place; the operation ends with it.
   * Not the client's own: with a handler on that one, a rejection that the application forgot would no longer be reported.
   */
  endWith<T>(promise: PromiseLike<T>, outcome?: (value: T) => Outcome): PromiseLike<T> {
    return promise.then(
      (value) => {
        this.end(
          outcome === undefined ? undefined : this.telemetry.guard('read a result', undefined, () => outcome(value)),
        );
        return value;
      },
      (error) => {
        this.fail(error);
        throw error;
      },
    );
  }

  /** Runs a call that answers with a promise, or throws; gives back what it gives. */
  trace<A extends unknown[], T>(
    fn: (...args: A) => PromiseLike<T>,
    outcome: ((value: T) => Outcome) | undefined,
    thisArg: unknown,
    ...args: A
  ): PromiseLike<T> {
    const promise = this.run(fn, thisArg, ...args);
    if (isObservable(promise)) return this.endWith(promise, outcome);
    this.end();
    return promise;
  }

  fail(error: unknown): void {
    // A forgotten `reject()` has no error object, and is a failure all the same.
    this.end({ error: error ?? new UnknownError() });
  }

  /** Ends the operation; later calls do nothing. */
  end(outcome?: Outcome): void {
    if (this.isEnded) return;
    this.isEnded = true;
    try {
      this.finish(outcome);
    } catch (error) {
      this.telemetry.report('end a span', error);
    }
  }

  /** Runs code of ours that may throw. */
  guarded(what: string, code: () => void): void {
    this.telemetry.guard(what, undefined, code);
  }

  protected abstract finish(outcome: Outcome | undefined): void;

  /** Records a failure on the span; the error's type, for the metrics. */
  protected recordError(span: Span | undefined, error: unknown, attributes?: Attributes): string {
    const type = errorType(error);
    if (span?.isRecording()) {
      span.setAttribute(ATTR_ERROR_TYPE, type);
      if (attributes !== undefined) span.setAttributes(attributes);
      const message = messageOf(error);
      span.setStatus(
        message === undefined || message === type
          ? { code: SpanStatusCode.ERROR }
          : { code: SpanStatusCode.ERROR, message },
      );
      this.telemetry.recordException(span, this.context, this.plan.facts.type, error);
    }
    return type;
  }
}

class UnknownError extends Error {
  override readonly name = 'UnknownError';
  constructor() {
    super('rejected without an error');
  }
}

function messageOf(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : undefined;
  return typeof message === 'string' && message.length > 0 ? message.slice(0, 1000) : undefined;
}
