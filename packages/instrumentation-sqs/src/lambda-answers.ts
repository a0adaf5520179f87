/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type Context, context as contextApi } from '@opentelemetry/api';
import type { AnyFunction } from '@otel-messaging/messaging-common';

/** What a handler answered: a result, or an error. */
export type Answer = { readonly value: unknown } | { readonly error: unknown };

type Pass = () => unknown;

/**
 * The answers of one call of a handler on their way to the runtime, which takes the first, by callback or by promise: in
 * the order in which the handler gave them, and only once everything is exported.
 */
export class Answers {
  private hasAny = false;
  /** Those that have to wait, oldest first; undefined while the runtime gets each at once. */
  private waiting: Pass[] | undefined;
  /** Rejects the promise that the runtime got; undefined where it got none, or has its answer by it. */
  private reject: ((error: unknown) => void) | undefined;

  /**
   * @param ambient what was active where the runtime called
   * @param answered is told the first answer; a promise if that has to wait
   */
  constructor(
    private readonly ambient: Context,
    private readonly answered: (answer: Answer) => Promise<void> | undefined,
  ) {}

  /** A callback for the runtime's. While nothing has to wait it is that one, down to its errors. */
  byCallback(callback: AnyFunction): AnyFunction {
    const answers = this;
    // From its callback on the runtime goes to the next event, which must not be handled with this one's baggage.
    const bound = bind(this.ambient, callback);
    return function (this: unknown, ...answer: unknown[]) {
      const [error, value] = answer;
      answers.note(error === undefined || error === null ? { value } : { error });
      const pass = () => bound.apply(this, answer);
      if (answers.waiting === undefined) return pass();
      answers.waiting.push(pass);
      return undefined;
    };
  }

  /** A promise for the handler's, which settles in the same way. */
  byPromise(promise: PromiseLike<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.reject = reject;
      const settled = (answer: Answer) => {
        this.note(answer);
        this.waiting ??= this.waitingUntil(Promise.resolve());
        this.waiting.push(() => {
          this.reject = undefined;
          if ('error' in answer) reject(answer.error);
          else resolve(answer.value);
        });
      };
      const rejected = (error: unknown) => settled({ error });
      try {
        promise.then((value) => settled({ value }), rejected);
      } catch (error) {
        rejected(error);
      }
    });
  }

  /** The runtime sees at once that the handler has thrown: those that were given before go first. */
  byThrow(error: unknown): void {
    this.note({ error });
    const passes = this.waiting?.splice(0) ?? [];
    this.waiting = undefined;
    for (const pass of passes) pass();
  }

  private note(answer: Answer): void {
    if (this.hasAny) return;
    this.hasAny = true;
    const ready = this.answered(answer);
    if (ready !== undefined) this.waiting = this.waitingUntil(ready);
  }

  private waitingUntil(ready: Promise<void>): Pass[] {
    const passes: Pass[] = [];
    void ready.then(async () => {
      for (const pass of passes) {
        this.pass(pass);
        await undefined; // until the runtime has heard of a promise; another answer may be given meanwhile
      }
      if (this.waiting === passes) this.waiting = undefined;
    });
    return passes;
  }

  /** Where the runtime's callback throws, the handler that called it is no longer there to be told. */
  private pass(pass: Pass): void {
    try {
      pass();
    } catch (error) {
      if (this.reject !== undefined) this.reject(error);
      else
        queueMicrotask(() => {
          throw error;
        });
    }
  }
}

/** The function in a context; without, where the application's context manager fails. */
function bind(context: Context, fn: AnyFunction): AnyFunction {
  return function (this: unknown, ...args: unknown[]) {
    let isCalled = false;
    const call = () => {
      isCalled = true;
      return fn.apply(this, args);
    };
    try {
      return contextApi.with(context, call);
    } catch (error) {
      if (isCalled) throw error;
      return call();
    }
  };
}
