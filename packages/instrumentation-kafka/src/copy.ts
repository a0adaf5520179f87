/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

/**
 * A copy of an object of the application's with some properties replaced.
 * Instances of classes are delegated to, so that their getters and methods still answer; what the client reads is taken
 * from the object itself, because a getter may need its own private fields.
 * @param properties what the client is known to read
 */
export function copyOf<T extends object>(object: T, properties: readonly (keyof T)[], changes: Partial<T>): T {
  if (isPlain(object)) return { ...object, ...changes };
  const copy = Object.create(object) as T;
  for (const name of properties) define(copy, name, object[name]);
  for (const name of Object.keys(changes) as (keyof T)[]) define(copy, name, changes[name]);
  return copy;
}

/** Whether an object has nothing but its own properties. */
export function isPlain(object: object): boolean {
  const prototype = Object.getPrototypeOf(object);
  return prototype === Object.prototype || prototype === null;
}

/** Not by assignment: the prototype may be frozen, or have a setter. */
export function define(target: object, name: PropertyKey, value: unknown, enumerable = true): void {
  Object.defineProperty(target, name, { value, enumerable, configurable: true, writable: true });
}

/**
 * A copy with some properties replaced, for clients that ask with `hasOwn` for options which they refuse: only what is
 * the object's own is the copy's own.
 * @param read what the client reads, own or not
 */
export function ownCopyOf<T extends object>(object: T, read: readonly (keyof T)[], changes: Partial<T>): T {
  if (isPlain(object)) return { ...object, ...changes };
  const copy = Object.create(object) as T;
  for (const name of [...(Object.keys(object) as (keyof T)[]), ...read]) define(copy, name, object[name]);
  for (const name of Object.keys(changes) as (keyof T)[]) define(copy, name, changes[name]);
  return copy;
}
