/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type Context, context as contextApi, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { AnyFunction, BatchProcessOperation } from '@otel-messaging/messaging-common';
import { forgetRecords, rememberRecords } from './lambda-copies';
import { areInHand, putAway, takeInHand } from './lambda-events';
import { flushBeforeFreeze } from './lambda-flush';
import { Invocation } from './lambda-invocation';
import { asDelivered, LambdaReader, type LambdaRecord, queueUrlOf, recordsOf } from './lambda-record';
import { type HelperSource, helperSource } from './process';

/**
 * The handler of a Lambda function, traced: one `process` span for the messages of an SQS event, and one for each message
 * in its producer's trace while the handler walks `event.Records`. Messages named in `batchItemFailures` are marked.
 * Before its promise settles, or its callback is called, everything that was recorded is exported; after other events
 * as well. Without instrumentation the handler just runs.
 */
export function wrapSqsHandler<H extends SqsHandler>(handler: H): H;
export function wrapSqsHandler<H extends (...args: never[]) => unknown>(handler: H): H;
export function wrapSqsHandler<H extends (...args: never[]) => unknown>(handler: H): H {
  if (typeof handler !== 'function' || wrappers.has(handler)) return handler;
  const wrapper = likeHandler(traced(handler as unknown as AnyFunction), handler);
  wrappers.add(wrapper);
  return wrapper as unknown as H;
}

/** Lets a handler that says nothing of its parameters know them. */
// biome-ignore lint/suspicious/noExplicitAny: context and callback are whatever the application takes them for
type SqsHandler = (event: { Records: LambdaRecord[] }, context: any, callback: any) => unknown;

/** A handler that the application has wrapped may come by again, as an export of its module. */
const wrappers = new WeakSet<object>();

function traced(handler: AnyFunction): AnyFunction {
  const takesMore = mayTakeMore(handler);
  let open: Invocation | undefined;

  return function (this: unknown, ...args: unknown[]) {
    const source = helperSource();
    if (source === undefined) return handler.apply(this, args);
    const records = source.telemetry.guard('read an event', undefined, () => recordsOf(args[0])) ?? [];
    if (areInHand(records)) return handler.apply(this, args);
    // Lambda calls again only when it has an answer: the last function gave it without its callback.
    open?.abandoned();
    open = undefined;
    const invocation = begin(source, records, args);
    const { 2: callback } = args;
    if (typeof callback === 'function') args[2] = invocation.answers.byCallback(callback as AnyFunction);
    const result = invocation.run(handler, this, args);
    if (isThenable(result)) return invocation.answers.byPromise(result);
    // Nothing but its callback tells when such a handler is over.
    const isOpen = typeof callback === 'function' && (handler.length > 2 || (takesMore && result === undefined));
    if (isOpen) open = invocation;
    else invocation.succeeded(result);
    return result;
  };
}

function begin(source: HelperSource, records: LambdaRecord[], args: readonly unknown[]): Invocation {
  const { telemetry } = source;
  const ambient = telemetry.guard('read the active context', ROOT_CONTEXT, () => contextApi.active());
  // Whoever has made a span around the handler exports it when that ends, and ours with it.
  const isInSpan = trace.getSpan(ambient)?.isRecording() === true;
  const delivered = telemetry.guard('read an event', [], () => asDelivered(records));
  const operation = telemetry.guard('describe an event', undefined, () => start(source, records, ambient));
  if (operation !== undefined) telemetry.guard('remember records', undefined, () => rememberRecords(delivered));
  const flush = () => (isInSpan ? undefined : flushBeforeFreeze(source.lambdaFlushMs, remainingMs(args)));
  const settle = () => {
    putAway(records);
    forgetRecords(delivered);
  };
  if (operation !== undefined) takeInHand(records);
  const event = { ambient, records: delivered, operation, settle };
  return new Invocation(event, () => telemetry.guard('export an event', undefined, flush));
}

function start(source: HelperSource, records: LambdaRecord[], ambient: Context): BatchProcessOperation | undefined {
  if (records[0] === undefined) return undefined;
  const queue = source.queueAt(queueUrlOf(records[0]));
  const reader = new LambdaReader(queue.reader);
  return source.telemetry.startBatchProcess(queue.plan('processBatch'), records, reader, queue.plan('process'), {
    ambient,
    holdsMessages: true,
  });
}

/** Time that the function has left, in milliseconds; unlimited where nobody says it, as in tests whose context is a stub. */
function remainingMs(args: readonly unknown[]): number {
  for (const at of [1, 2]) {
    try {
      const { getRemainingTimeInMillis: remaining } = (args[at] ?? {}) as { getRemainingTimeInMillis?: unknown };
      const milliseconds = typeof remaining === 'function' ? Number(remaining.call(args[at])) : Number.NaN;
      if (!Number.isNaN(milliseconds)) return milliseconds;
    } catch {} // the stub's "not implemented"
  }
  return Number.POSITIVE_INFINITY;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
}

/** Whether the handler may have a third parameter that its length does not tell: rest parameters, default values, `arguments`. */
function mayTakeMore(handler: AnyFunction): boolean {
  return /^[^{]*(\.\.\.|=[^>])|\barguments\b/.test(Function.prototype.toString.call(handler));
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
