/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context as contextApi } from '@opentelemetry/api';
import { type AnyFunction, suppressed } from '@otel-messaging/messaging-common';
import { addMiddleware } from './marked-commands';

/**
 * The client's `send`, during which another instrumentation of it rests, and that of HTTP: two spans for one call, and two contexts in one
 * message, would be one too many. What middleware of the application does meanwhile is traced as ever.
 * @param original called with a marked command
 */
export function withoutSpans(original: AnyFunction): AnyFunction {
  return function send(this: unknown, ...args: unknown[]) {
    const around = contextApi.active();
    const run: RunAround = (next, passed) => contextApi.with(around, next, undefined, passed);
    (args[0] as Marked)[AROUND] = run;
    try {
      spareMiddleware(this as object);
    } catch {
      // A client of an unknown kind: what its middleware does is not traced.
    }
    return contextApi.with(suppressed(around), original, this, ...args);
  };
}

/** Adds, once for each client, what goes back to the context around the call, and leaves it for the request. */
function spareMiddleware(client: object): void {
  if (known.has(client)) return;
  known.add(client);
  const first = (next: Next) => (args: Marked) => {
    const run = args[AROUND];
    return run === undefined ? next(args) : run(next, args);
  };
  const last = (next: Next) => (args: Marked) =>
    args[AROUND] === undefined ? next(args) : contextApi.with(suppressed(contextApi.active()), next, undefined, args);
  addMiddleware(client, first, { step: 'initialize', priority: 'high', name: 'otelMessagingAround' });
  addMiddleware(client, last, { step: 'deserialize', priority: 'low', name: 'otelMessagingRequest' });
}

const known = new WeakSet<object>();

/** On a command that is sent without spans of others. */
const AROUND = Symbol('otel-messaging around');

interface Marked {
  [AROUND]?: RunAround;
}

type Next = (args: Marked) => unknown;
type RunAround = (next: Next, args: Marked) => unknown;
