/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Context, HrTime, Span } from '@opentelemetry/api';
import { errorType, isError } from './errors';
import type { Outcome } from './operation';
import { contexts, SpanStatusCode } from './otel';
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
  /** By `performance.now()`; 0 where nobody would read it. */
  protected startedMs: number;
  /** When the operation was over, where that was before `end`. */
  protected endedMs: number | undefined;
  /** Milliseconds since the epoch; set for a span that is made later than its operation began. */
  protected startedEpochMs: number | undefined;
  private hasCalled = false;
  // Declared only: most operations are never held, and each field of theirs costs every message its share.
  /** Whether `end` only notes when the work was over and how it went. */
  declare protected isHeld?: boolean;
  declare private noted?: Outcome;
  /** When the work was over, for a span whose times are the SDK's. */
  declare private notedAt?: HrTime;

  protected constructor(
    protected readonly telemetry: Telemetry,
    public plan: OperationPlan,
    startedMs = telemetry.signals.instruments === undefined ? 0 : performance.now(),
  ) {
    this.startedMs = startedMs;
  }

  /** The span, or undefined where none is made. */
  abstract readonly span: Span | undefined;
  /** The context that the call runs in. */
  abstract readonly context: Context;

  /** Calls `fn` in the operation's context; a throw ends the operation and passes on. */
  run<A extends unknown[], R>(fn: (...args: A) => R, thisArg: unknown, ...args: A): R {
    try {
      return contexts().with(this.context, ActiveOperation.call<A, R>, undefined, this, fn, thisArg, args);
    } catch (error) {
      if (!this.hasCalled) return this.runWithoutContext(error, fn, thisArg, args);
      this.fail(error);
      throw error;
    }
  }

  /**
   * A promise to hand to the application in the client's place; the operation ends with it.
   * Not the client's own: with a handler on that one, a rejection that the application forgot would no longer be reported.
   * @param named what to record in place of an error that does not say its type itself; must not throw
   */
  endWith<T>(
    promise: PromiseLike<T>,
    outcome?: (value: T) => Outcome,
    named?: (error: unknown) => unknown,
  ): PromiseLike<T> {
    return promise.then(
      (value) => {
        this.end(
          outcome === undefined ? undefined : this.telemetry.guard('read a result', undefined, () => outcome(value)),
        );
        return value;
      },
      (error) => {
        this.fail(named === undefined ? error : named(error));
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

  /** Ends the operation; later calls do nothing. Whatever fails on the way, the span ends and the metrics are recorded. */
  end(outcome?: Outcome): void {
    if (this.isEnded) return;
    if (this.isHeld) {
      this.note(outcome);
      return;
    }
    this.isEnded = true;
    const { telemetry } = this;
    let failure: string | undefined;
    try {
      failure = this.record(outcome);
    } catch (error) {
      telemetry.report('record how an operation ended', error);
    }
    if (this.isMeasured()) this.endedMs ??= performance.now();
    try {
      this.span?.end(this.notedAt ?? (this.endedMs === undefined ? undefined : this.timeOf(this.endedMs)));
    } catch (error) {
      telemetry.report('end a span', error);
    }
    try {
      if (this.endedMs !== undefined) this.measure(this.endedMs - this.startedMs, failure, outcome);
    } catch (error) {
      telemetry.report('record metrics', error);
    }
  }

  /** From now on `end` notes the time and the outcome; the span ends with `conclude`, by when more is known of it. */
  hold(): void {
    if (!this.isEnded) this.isHeld = true;
  }

  /**
   * Ends what was held, at the time that was noted. Work that goes on ends by itself.
   * @param outcome what became known since; an error that was noted wins over it
   */
  conclude(outcome?: Outcome): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    if (this.endedMs === undefined) return;
    const { noted } = this;
    this.end(noted?.error === undefined ? outcome : { ...outcome, ...noted });
  }

  /** Whether anybody reads when the operation ended: reading the clock costs as much as all else that ends it. */
  private isMeasured(): boolean {
    return (
      this.startedMs !== 0 && (this.telemetry.signals.instruments !== undefined || this.span?.isRecording() === true)
    );
  }

  /** Logs a failure of ours. */
  report(what: string, error: unknown): void {
    this.telemetry.report(what, error);
  }

  /** Runs code of ours that may throw. */
  guarded(what: string, code: () => void): void {
    this.telemetry.guard(what, undefined, code);
  }

  /** Writes the outcome on the span; the type of the error, if it is one. */
  protected record(outcome: Outcome | undefined): string | undefined {
    const learned = this.plan.learned?.();
    if (learned !== undefined && this.span?.isRecording()) this.span.setAttributes(learned);
    if (outcome === undefined) return undefined;
    const failure = outcome.error === undefined ? undefined : this.recordError(outcome.error);
    if (outcome.attributes !== undefined && this.span?.isRecording()) this.span.setAttributes(outcome.attributes);
    return failure;
  }

  /** @param failure type of the error, the same as on the span */
  protected measure(durationMs: number, failure: string | undefined, _outcome: Outcome | undefined): void {
    this.telemetry.recordDuration(this.plan, durationMs, failure);
  }

  /** Records a failure on the span; the error's type, for the metrics. */
  protected recordError(error: unknown): string {
    const type = errorType(error);
    try {
      this.describeError(error, type);
    } catch (failure) {
      this.telemetry.report('record an error', failure); // an error object whose getters throw
    }
    return type;
  }

  /**
   * A span that was given its start needs all its times given, or it takes them from another clock; undefined for any
   * other span. Start by the wall clock, the rest by the steady one, as SDKs do it.
   */
  private timeOf(steadyMs: number): HrTime | undefined {
    return this.startedEpochMs === undefined ? undefined : hrTime(this.startedEpochMs + (steadyMs - this.startedMs));
  }

  private describeError(error: unknown, type: string): void {
    const { span } = this;
    if (!span?.isRecording()) return;
    span.setAttribute(ATTR_ERROR_TYPE, type);
    span.setStatus({ code: SpanStatusCode.ERROR });
    if (!isError(error)) return;
    const { message } = error;
    if (typeof message === 'string' && message !== '' && message !== type) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: message.slice(0, 1000) });
    }
    const time = this.notedAt ?? this.timeOf(this.endedMs ?? performance.now());
    this.telemetry.spans.recordException(span, this.context, this.plan.facts.type, error, time);
  }

  private note(outcome: Outcome | undefined): void {
    this.noted ??= outcome;
    if (this.startedEpochMs === undefined) this.notedAt ??= hrTime(Date.now());
    this.endedMs ??= performance.now();
  }

  /** A context manager that fails is no reason for the application's call to fail. */
  private runWithoutContext<A extends unknown[], R>(
    error: unknown,
    fn: (...args: A) => R,
    thisArg: unknown,
    args: A,
  ): R {
    this.telemetry.report('make a context active', error);
    try {
      return ActiveOperation.call(this, fn, thisArg, args);
    } catch (thrown) {
      this.fail(thrown);
      throw thrown;
    }
  }

  /** Not a closure: it would be one more for each message. */
  private static call<A extends unknown[], R>(
    operation: ActiveOperation,
    fn: (...args: A) => R,
    thisArg: unknown,
    args: A,
  ): R {
    operation.hasCalled = true;
    return Reflect.apply(fn, thisArg, args);
  }
}

/** Seconds and nanoseconds: the form that SDKs take without asking the clock what kind of number it is. */
export function hrTime(epochMs: number): HrTime {
  const seconds = Math.trunc(epochMs / 1000);
  return [seconds, Math.round((epochMs - seconds * 1000) * 1e6)];
}

class UnknownError extends Error {
  override readonly name = 'UnknownError';
  constructor() {
    super('rejected without an error');
  }
}
