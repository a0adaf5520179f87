/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { AnyFunction } from '@otel-messaging/messaging-common';

/** A listener, in the form that EventEmitter knows: it can be removed by what it stands for. */
interface Listener extends AnyFunction {
  listener?: AnyFunction;
}

/** Methods that add a listener to an emitter. */
export const ADDING = ['on', 'addListener', 'prependListener', 'once', 'prependOnceListener'] as const;

/** Calls a listener with its arguments, the first of which is the message. */
export type Handle = (listener: AnyFunction, thisArg: unknown, args: unknown[]) => unknown;

/** Listeners of one emitter's 'data', wrapped. */
export class DataListeners {
  private readonly wrapped = new WeakSet<AnyFunction>();

  constructor(private readonly handle: Handle) {}

  /** Wrapped also while nothing is recorded: a listener may live to see it. */
  wrap(listener: Listener): Listener {
    const inner = listener.listener;
    // What `once` makes of a listener comes by again, when it is added with `on`.
    if (inner !== undefined && this.wrapped.has(inner)) {
      listener.listener = (inner as Listener).listener;
      return listener;
    }
    const { handle } = this;
    const wrapped: Listener = function (this: unknown, ...args: unknown[]) {
      return handle(listener, this, args);
    };
    wrapped.listener = inner ?? listener;
    this.wrapped.add(wrapped);
    return wrapped;
  }
}
