/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Context } from '@opentelemetry/api';
import { type Attachment, attach, detach } from './active-context';
import { StandInContext } from './awaited-context';
import { contexts } from './otel';
import type { ProcessOperation } from './process-operation';

/** Begins the handling of a message that an iterator gives; undefined for what is none, and while nothing is recorded. */
// biome-ignore lint/suspicious/noExplicitAny: an operation on a message of any type
type Begin<T> = (message: T) => ProcessOperation<any> | undefined;

/**
 * An asynchronous iterator with each message's context active between two calls of `next`: the body of `for await`.
 * Which message the body will have is known only later than the body's context is fixed, at its `await`. So that context
 * is one that learns later what it stands for.
 * As with arrays, the context that the first body gets is also that of the caller of an asynchronous function that
 * iterates before its first `await`; when that body is over, it stands for what was active before.
 */
export function followAsyncIteration<T>(inner: AsyncIterator<T>, begin: Begin<T>): AsyncIterableIterator<T> {
  return new FollowedIterator(inner, begin);
}

class FollowedIterator<T> implements AsyncIterableIterator<T> {
  private operation: ReturnType<Begin<T>>;
  private attachment: Attachment | undefined;
  private first: StandInContext | undefined;
  private isFirst = true;

  constructor(
    private readonly inner: AsyncIterator<T>,
    private readonly begin: Begin<T>,
  ) {}

  next(...args: [] | [unknown]): Promise<IteratorResult<T>> {
    this.leave();
    const ambient = settledAmbient();
    const given = this.inner.next(...(args as []));
    const body = new StandInContext(ambient);
    this.attach(body);
    return given.then((result) => {
      if (result.done !== true) this.enter(result.value, body);
      return result;
    });
  }

  return(value?: unknown): Promise<IteratorResult<T>> {
    this.leave();
    this.detach();
    return this.inner.return?.(value) ?? Promise.resolve({ done: true, value });
  }

  throw(error?: unknown): Promise<IteratorResult<T>> {
    this.operation?.fail(error);
    this.leave();
    this.detach();
    return this.inner.throw?.(error) ?? Promise.reject(error);
  }

  declare [Symbol.asyncIterator]: () => this;

  private enter(message: T, body: StandInContext): void {
    const operation = this.begin(message);
    if (operation === undefined) return;
    this.operation = operation;
    body.current = operation.context;
    if (this.isFirst) this.first = body;
    this.isFirst = false;
  }

  private leave(): void {
    const { operation, first } = this;
    this.operation = undefined;
    operation?.end();
    if (first === undefined) return;
    first.current = first.before;
    this.first = undefined;
  }

  private attach(body: StandInContext): void {
    try {
      this.attachment = attach(body, this.attachment);
    } catch {
      // A context manager of another kind: spans are made, but not active.
    }
  }

  private detach(): void {
    if (this.attachment !== undefined) detach(this.attachment);
    this.attachment = undefined;
  }
}

/** Iterators inherit what the language gives them all. */
async function* none() {}
Object.setPrototypeOf(FollowedIterator.prototype, Object.getPrototypeOf(Object.getPrototypeOf(none.prototype)));

/** What is active, without the layers of bodies before: a loop of many turns must not grow a chain of contexts. */
function settledAmbient(): Context {
  const active = contexts().active();
  return active instanceof StandInContext ? active.before : active;
}
