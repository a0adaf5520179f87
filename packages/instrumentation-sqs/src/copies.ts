/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

/**
 * A copy of an object of the application with some of its properties replaced; frozen ones can be copied.
 * Of an instance of a class, whose getters may read private fields, the copy holds the values.
 */
export function copyWith<T extends object, C extends object>(original: T, changes: C): T & C {
  const prototype = Object.getPrototypeOf(original);
  if (prototype === Object.prototype || prototype === null) return { ...original, ...changes };
  const values: Record<string, unknown> = {};
  for (let from: object | null = original; from !== null && from !== Object.prototype; ) {
    for (const name of Object.getOwnPropertyNames(from)) {
      if (name !== 'constructor' && !Object.hasOwn(values, name)) {
        values[name] = (original as Record<string, unknown>)[name];
      }
    }
    from = Object.getPrototypeOf(from);
  }
  return { ...values, ...changes } as T & C;
}

/**
 * A command like this one, with another input; the command itself may be sent again. Its middleware is set up by the
 * command itself, so that what the application put on its stack runs, and a subclass finds its private fields.
 */
export function commandWith<C extends object>(command: C, input: object): C {
  return Object.create(command, {
    input: { value: input, enumerable: true, writable: true },
    resolveMiddleware: {
      value: (...args: unknown[]) => (command as unknown as SmithyCommand).resolveMiddleware(...args),
    },
  });
}

interface SmithyCommand {
  resolveMiddleware(...args: unknown[]): unknown;
}
