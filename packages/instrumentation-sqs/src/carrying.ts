/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Telemetry } from '@otel-messaging/messaging-common';

/** The input to send in place of the one that the application's middleware has left: a copy, or that one itself. */
export type Carry = (input: object) => object;

/**
 * A command like this one, that is sent with what `carry` makes of its input. The input stays the application's own: its middleware
 * may set fields of it, and finds them there when the command is sent again. Both share the middleware stack, so that what the
 * application put on it runs.
 */
export function carryingCommand<C extends object>(command: C, carry: Carry): C {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(command)), command);
  copy[CARRY] = carry;
  return copy;
}

/**
 * The same for a command of the application's own class. Its middleware is set up by the command itself, which may have
 * private fields; slower, since the command becomes a prototype.
 */
export function carryingSubclassedCommand<C extends object>(command: C, carry: Carry): C {
  const { input, resolveMiddleware } = command as SmithyCommand;
  const setUp = (...args: unknown[]) => resolveMiddleware.apply(command, args);
  const own = { input, resolveMiddleware: setUp, [CARRY]: carry };
  return Object.create(command, Object.getOwnPropertyDescriptors(own));
}

interface SmithyCommand {
  readonly input?: unknown;
  readonly resolveMiddleware: (...args: unknown[]) => unknown;
}

/** Has a client send what calls make of their inputs, once for each call however often it is tried. */
export function carryInputs(telemetry: Telemetry, client: unknown): void {
  const { middlewareStack } = client as Client;
  const middleware = (next: (args: Marked) => unknown) => (args: Marked) => {
    const carry = args[CARRY];
    return next(carry === undefined ? args : carried(args, carry));
  };
  const carried = (args: Marked, carry: Carry): Marked => {
    const own = args.input as object;
    try {
      const input = carry(own);
      return input === own ? args : { ...args, input };
    } catch (error) {
      telemetry.report('write a context into a request', error);
      return args;
    }
  };
  // After all middleware that may change an input, before the client looks for an endpoint and writes the request.
  middlewareStack?.add?.(middleware, {
    step: 'serialize',
    priority: 'high',
    name: 'otelMessagingCarrier',
    override: true,
  });
  // What the client has put together before that, with its option `cacheMiddleware`; it makes the same of it at times.
  delete (client as Client).handlers;
}

/** Survives the copies of arguments that middleware makes (`{ ...args }`), and is seen by nobody who reads them. */
const CARRY = Symbol('otel-messaging carry');

interface Marked {
  readonly input?: unknown;
  readonly [CARRY]?: Carry;
}

interface Client {
  middlewareStack?: { add?(middleware: unknown, options: object): void };
  handlers?: unknown;
}
