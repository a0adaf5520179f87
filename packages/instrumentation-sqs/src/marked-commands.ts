/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

/**
 * A copy of a command that may be marked for middleware of ours, by symbols: they survive the copies of arguments that middleware
 * makes (`{ ...args }`), and are seen by nobody who reads them. The input stays the application's own: its middleware may set
 * fields of it, and finds them there when the command is sent again. Both share the middleware stack, so that what the
 * application put on it runs.
 * @param isSubclass whether it is of the application's own class
 */
export function markedCommand<C extends object>(command: C, isSubclass: boolean): C & Marks {
  if (!isSubclass) return Object.assign(Object.create(Object.getPrototypeOf(command)), command);
  // Its middleware is set up by the command itself, which may have private fields; slower, since the command becomes a prototype.
  const { input, resolveMiddleware } = command as SmithyCommand;
  const setUp = (...args: unknown[]) => {
    const handler = resolveMiddleware.apply(command, args);
    marked.input = (command as SmithyCommand).input; // it may have set another one
    return handler;
  };
  const marked = Object.create(command, Object.getOwnPropertyDescriptors({ input, resolveMiddleware: setUp }));
  return marked;
}

/** Adds a middleware of ours to a client, once. */
export function addMiddleware(client: unknown, middleware: unknown, where: object): void {
  const { middlewareStack } = client as Client;
  const options = { ...where, override: true };
  if ('relation' in where) middlewareStack?.addRelativeTo?.(middleware, options);
  else middlewareStack?.add?.(middleware, options);
  // What the client has put together before that, with its option `cacheMiddleware`; it makes the same of it at times.
  Reflect.deleteProperty(client as Client, 'handlers');
}

type Marks = { [mark: symbol]: unknown };

interface SmithyCommand {
  readonly input?: unknown;
  readonly resolveMiddleware: (...args: unknown[]) => unknown;
}

interface Client {
  middlewareStack?: {
    add?(middleware: unknown, options: object): void;
    addRelativeTo?(middleware: unknown, options: object): void;
  };
}
