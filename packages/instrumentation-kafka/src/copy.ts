/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

/**
 * A copy of an object of the application's with some properties replaced.
 * @param properties what the client is known to read
 */
export function copyOf<T extends object>(object: T, properties: readonly (keyof T)[], changes: Partial<T>): T {
  if (isPlain(object)) return { ...object, ...changes };
  const copy = standInFor(object);
  for (const name of properties) define(copy, name, object[name]);
  for (const name of Object.keys(changes) as (keyof T)[]) define(copy, name, changes[name]);
  return copy;
}

/**
 * What answers as an instance of a class does, and may be changed: it has the same properties, and its getters, setters and methods are
 * asked of the instance itself, since they may need its private fields.
 */
export function standInFor<T extends object>(instance: T): T {
  const copy = Object.create(Object.getPrototypeOf(instance)) as T;
  for (let from: object = instance; from !== null && from !== Object.prototype; from = Object.getPrototypeOf(from)) {
    for (const name of Reflect.ownKeys(from)) {
      if (name === 'constructor' || Object.hasOwn(copy, name)) continue;
      Object.defineProperty(copy, name, delegated(instance, name, Object.getOwnPropertyDescriptor(from, name)!));
    }
  }
  return copy;
}

function delegated(
  instance: object,
  name: PropertyKey,
  { get, set, value, enumerable }: PropertyDescriptor,
): PropertyDescriptor {
  const kind = { enumerable: enumerable === true, configurable: true };
  if (get === undefined && set === undefined) {
    const isMethod = typeof value === 'function' && !Object.hasOwn(instance, name);
    return { ...kind, writable: true, value: isMethod ? value.bind(instance) : value };
  }
  return { ...kind, get: get?.bind(instance), set: set?.bind(instance) };
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
  const copy = standInFor(object);
  for (const name of [...(Object.keys(object) as (keyof T)[]), ...read]) define(copy, name, object[name]);
  for (const name of Object.keys(changes) as (keyof T)[]) define(copy, name, changes[name]);
  return copy;
}
