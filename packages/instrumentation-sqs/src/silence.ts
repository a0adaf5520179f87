/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context as contextApi } from '@opentelemetry/api';
import { type AnyFunction, suppressed } from '@otel-messaging/messaging-common';
import { addMiddleware } from './marked-commands';

/** On a command whose requests make no spans. What middleware of the application does meanwhile is traced as ever. */
export const QUIET = Symbol('otel-messaging quiet');

/** Has a client make requests of marked commands without spans. */
export function quietRequests(client: object): void {
  const middleware = (next: Next) => (args: Marked) =>
    args[QUIET] === undefined ? next(args) : contextApi.with(suppressed(contextApi.active()), next, undefined, args);
  addMiddleware(client, middleware, { step: 'deserialize', priority: 'low', name: 'otelMessagingRequest' });
}

/**
 * The client's `send`, during which another instrumentation of it rests: two spans for one call, and two contexts in one message,
 * would be one too many.
 * @param original called with a marked command
 */
export function withoutOthers(original: AnyFunction): AnyFunction {
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

/** Adds, once for each client, what goes back to the context around the call. */
function spareMiddleware(client: object): void {
  if (known.has(client)) return;
  known.add(client);
  const middleware = (next: Next) => (args: Marked) => {
    const run = args[AROUND];
    return run === undefined ? next(args) : run(next, args);
  };
  addMiddleware(client, middleware, { step: 'initialize', priority: 'high', name: 'otelMessagingAround' });
}

const known = new WeakSet<object>();

/** On a command that is sent while another instrumentation rests. */
const AROUND = Symbol('otel-messaging around');

interface Marked {
  readonly [QUIET]?: true;
  [AROUND]?: RunAround;
}

type Next = (args: Marked) => unknown;
type RunAround = (next: Next, args: Marked) => unknown;
