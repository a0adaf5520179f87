/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

/**
 * A copy of an object of the application, with properties of its own that may be set; frozen ones can be copied.
 * Of an instance of a class, whose getters may read private fields, the copy holds the values.
 */
export function copyOf<T extends object>(original: T): Writable<T> {
  const prototype = Object.getPrototypeOf(original);
  // Not a spread: on Node 20 each property that is then added to it takes half a microsecond.
  if (prototype === Object.prototype || prototype === null) return Object.assign({}, original);
  const values: Record<string, unknown> = {};
  for (let from: object | null = original; from !== null && from !== Object.prototype; ) {
    for (const name of Object.getOwnPropertyNames(from)) {
      if (name !== 'constructor' && !Object.hasOwn(values, name)) {
        values[name] = (original as Record<string, unknown>)[name];
      }
    }
    from = Object.getPrototypeOf(from);
  }
  return values as Writable<T>;
}

/**
 * A plain object's copy without some of its properties. Deleting them instead would turn it into a slow one, and take ten
 * times as long.
 */
export function copyWithout<T extends object>(original: T, isLeftOut: (name: string) => boolean): T {
  const copy: Record<string, unknown> = {};
  for (const name in original) {
    if (isLeftOut(name) || !Object.hasOwn(original, name)) continue;
    if (name === '__proto__') Object.defineProperty(copy, name, OWN); // to set it would give the copy a prototype
    copy[name] = (original as Record<string, unknown>)[name];
  }
  return copy as T;
}

const OWN: PropertyDescriptor = { writable: true, enumerable: true, configurable: true };

export type Writable<T> = { -readonly [K in keyof T]: T[K] };
