/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context as contextApi, trace } from '@opentelemetry/api';
import type { AnyFunction, BatchProcessOperation } from '@otel-messaging/messaging-common';
import { flushBeforeFreeze } from './lambda-flush';
import { Invocation } from './lambda-invocation';
import { LambdaReader, type LambdaRecord, queueUrlOf, recordsOf } from './lambda-record';
import { type HelperSource, helperSource } from './process';

/**
 * The handler of a Lambda function, traced: one `process` span for the messages of an SQS event, and one for each message
 * in its producer's trace while the handler walks `event.Records`. Messages named in `batchItemFailures` are marked.
 * Before its promise settles, or its callback is called, everything that was recorded is exported; after other events
 * as well. Without instrumentation the handler just runs.
 */
export function wrapSqsHandler<H extends (...args: never[]) => unknown>(handler: H): H {
  if (typeof handler !== 'function' || wrappers.has(handler)) return handler;
  const wrapper = likeHandler(traced(handler as unknown as AnyFunction), handler);
  wrappers.add(wrapper);
  return wrapper as unknown as H;
}

/** A handler that the application has wrapped may come by again, as an export of its module. */
const wrappers = new WeakSet<object>();

function traced(handler: AnyFunction): AnyFunction {
  let open: Invocation | undefined;

  return function (this: unknown, ...args: unknown[]) {
    const source = helperSource();
    if (!source?.telemetry.isOn()) return handler.apply(this, args);
    // Lambda calls again only when it has an answer: the last function gave it without its callback.
    open?.abandoned();
    open = undefined;
    const invocation = begin(source, args);
    const { 2: callback } = args;
    if (typeof callback === 'function') args[2] = invocation.afterCallback(callback as AnyFunction);
    const result = invocation.run(handler, this, args);
    if (isThenable(result)) return invocation.afterPromise(result);
    // Nothing but its callback tells when such a handler is over.
    if (typeof callback === 'function' && handler.length > 2) open = invocation;
    else invocation.succeeded(result);
    return result;
  };
}

function begin(source: HelperSource, args: readonly unknown[]): Invocation {
  // Whoever has made a span around the handler exports it when that ends, and ours with it.
  const isInSpan = trace.getActiveSpan()?.isRecording() === true;
  const flush = () => (isInSpan ? undefined : flushBeforeFreeze(source.lambdaFlushMs, remainingMs(args)));
  try {
    const records = recordsOf(args[0]) ?? [];
    return new Invocation(records, records.length === 0 ? undefined : start(source, records), flush);
  } catch (error) {
    source.telemetry.report('describe an event', error);
    return new Invocation([], undefined, flush);
  }
}

function start(source: HelperSource, records: LambdaRecord[]): BatchProcessOperation | undefined {
  const { telemetry } = source;
  const queue = source.queueAt(queueUrlOf(records[0] as LambdaRecord));
  const reader = new LambdaReader(queue.reader);
  return telemetry.startBatchProcess(queue.plan('processBatch'), records, reader, queue.plan('process'), {
    ambient: contextApi.active(),
    holdsMessages: true,
  });
}

/** Time that the function has left, in milliseconds; unlimited outside of Lambda. */
function remainingMs(args: readonly unknown[]): number {
  for (const at of [1, 2]) {
    const { getRemainingTimeInMillis: remaining } = (args[at] ?? {}) as { getRemainingTimeInMillis?: unknown };
    if (typeof remaining === 'function') return Number(remaining.call(args[at]));
  }
  return Number.POSITIVE_INFINITY;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
}

/** The runtime reads off a handler whether it streams and whether it takes a callback. */
function likeHandler(wrapper: AnyFunction, handler: object): AnyFunction {
  for (const key of Reflect.ownKeys(handler)) {
    if (key === 'prototype') continue;
    const descriptor = Object.getOwnPropertyDescriptor(handler, key) as PropertyDescriptor;
    Object.defineProperty(wrapper, key, { ...descriptor, configurable: true });
  }
  return wrapper;
}
