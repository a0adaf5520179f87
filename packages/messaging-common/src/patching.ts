/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// The one place where types of the client's functions are given up: a wrapper passes on whatever it is given.
// biome-ignore-all lint/suspicious/noExplicitAny: see above

import { isWrapped } from '@opentelemetry/instrumentation';

export type AnyFunction = (this: any, ...args: any[]) => any;
export type Wrapper = (original: any) => AnyFunction;

interface Patch {
  readonly target: Record<PropertyKey, unknown>;
  readonly name: PropertyKey;
  readonly original: unknown;
  readonly patched: unknown;
  readonly wasOwn: boolean;
}

/** The base class's `_wrap`: shimmer's, which marks what it has wrapped. */
export type Wrap = (target: any, name: any, wrapper: (original: any) => any) => unknown;

/** Everything that was patched, over all copies of a module, so that all of it can be put back. */
export class Patches {
  private readonly patches: Patch[] = [];

  constructor(private readonly wrap: Wrap) {}

  /** Wraps a method once; false if there is no such method. */
  add(target: object, name: PropertyKey, wrapper: Wrapper): boolean {
    const holder = target as Record<PropertyKey, unknown>;
    const original = holder[name];
    if (typeof original !== 'function') return false;
    if (
      this.patches.some((patch) => patch.target === holder && patch.name === name && holder[name] === patch.patched)
    ) {
      return true;
    }
    const wasOwn = Object.hasOwn(holder, name);
    // Another instrumentation's wrapper is wrapped, not taken off as the base class would.
    if (isWrapped(original)) {
      Object.defineProperty(holder, name, { ...descriptor(holder, name), value: named(wrapper(original), original) });
    } else {
      this.wrap(holder, name, (inner: any) => named(wrapper(inner), inner));
    }
    this.patches.push({ target: holder, name, original, patched: holder[name], wasOwn });
    return true;
  }

  /** Puts back the very same functions, except where somebody else has patched over ours: theirs stays. */
  removeAll(): void {
    for (const { target, name, original, patched, wasOwn } of this.patches.splice(0).reverse()) {
      if (target[name] !== patched) continue;
      if (wasOwn) Object.defineProperty(target, name, { ...descriptor(target, name), value: original });
      else delete target[name];
    }
  }

  get count(): number {
    return this.patches.length;
  }
}

function descriptor(target: object, name: PropertyKey): PropertyDescriptor {
  const own = Object.getOwnPropertyDescriptor(target, name);
  return { enumerable: own?.enumerable ?? false, configurable: true, writable: true };
}

/** Looks like the original to code that asks for its name or arity. */
function named<T extends AnyFunction>(wrapper: T, original: { readonly name: string; readonly length: number }): T {
  Object.defineProperty(wrapper, 'name', { value: original.name, configurable: true });
  Object.defineProperty(wrapper, 'length', { value: original.length, configurable: true });
  return wrapper;
}
