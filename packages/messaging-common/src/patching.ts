/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// The one place where types of the client's functions are given up: a wrapper passes on whatever it is given.
// biome-ignore-all lint/suspicious/noExplicitAny: see above

import { isWrapped } from '@opentelemetry/instrumentation';

/** A function of the client's, or of the application's. */
export type AnyFunction = (this: any, ...args: any[]) => any;
/** Makes what takes a function's place. */
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

/** Who patches. Also read by other copies of this package, perhaps of other versions, in the same process. */
export interface PatchOwner {
  /** Name of the instrumentation. */
  readonly name: string;
  isEnabled(): boolean;
}

/** Where a patched function has its owner, in every copy of this package. */
const OWNER = Symbol.for('otel-messaging patch owner');

/** Everything that was patched, over all copies of a module, so that all of it can be put back. */
export class Patches {
  private readonly patches: Patch[] = [];
  private hasStoodDown = false;

  /** @param warn told once, if the same instrumentation is registered already, as by a preload and a bootstrap file */
  constructor(
    private readonly wrap: Wrap,
    private readonly owner: PatchOwner,
    private readonly warn: (text: string) => void,
  ) {}

  /**
   * Wraps a method once, also where there are several instances of an instrumentation: the first has it, or each message
   * would have two spans. False if there is no such method, or none that can be replaced.
   */
  add(target: object, name: PropertyKey, wrapper: Wrapper): boolean {
    return this.put(target, name, (holder, original) => this.replace(holder, name, original, wrapper));
  }

  /**
   * The same for a method that another instrumentation wraps as well, in whatever order: it would take off a wrapper that
   * has shimmer's mark, and when it takes off its own, that may lie beneath ours.
   * @param wrapper is given what the method was, to be asked at each call
   */
  addUnmarked(target: object, name: PropertyKey, wrapper: (original: () => AnyFunction) => AnyFunction): boolean {
    return this.put(target, name, (holder, original) => {
      let inner: AnyFunction & { __original?: AnyFunction } = original;
      const patched = this.marked(
        named(
          wrapper(() => inner),
          original,
        ),
      );
      const takeOffInner = () => {
        if (isWrapped(inner)) inner = inner.__original as AnyFunction;
      };
      Object.defineProperty(patched, '__original', { get: () => inner });
      Object.defineProperty(patched, '__unwrap', { value: takeOffInner });
      Object.defineProperty(holder, name, { ...descriptor(holder, name), value: patched });
    });
  }

  /** Whether calls of the method come to a wrapper of ours. */
  has(target: object, name: PropertyKey): boolean {
    return this.patches.some((patch) => patch.target === target && patch.name === name && isStillInside(patch));
  }

  /** Whether the function is a wrapper of ours. */
  owns(method: unknown): boolean {
    return (method as any)[OWNER] === this.owner;
  }

  /** Whether somebody else has wrapped the function, by the mark of shimmer, which all of OpenTelemetry's use. */
  isForeign(method: unknown): boolean {
    return (method as any).__wrapped === true && !this.owns(method);
  }

  private put(
    target: object,
    name: PropertyKey,
    replace: (holder: Record<PropertyKey, unknown>, original: AnyFunction) => void,
  ): boolean {
    const holder = target as Record<PropertyKey, unknown>;
    const original = holder[name];
    if (typeof original !== 'function') return false;
    if (this.has(target, name)) return true;
    if (this.isTakenByAnother(original)) return true;
    const wasOwn = Object.hasOwn(holder, name);
    try {
      replace(holder, original as AnyFunction);
    } catch {
      return false; // a frozen module, or an export that is a getter: the application goes on without us
    }
    if (holder[name] === original) return false;
    this.patches.push({ target: holder, name, original, patched: holder[name], wasOwn });
    return true;
  }

  /**
   * Puts back the very same functions, except where somebody else has patched over ours: theirs stays, and calls ours,
   * which is silent; it is remembered, so that it is not wrapped again when the instrumentation is enabled again.
   */
  removeAll(): void {
    for (const patch of this.patches.splice(0).reverse()) {
      const { target, name, original, patched, wasOwn } = patch;
      if (target[name] !== patched) {
        if (isStillInside(patch)) this.patches.unshift(patch);
      } else if (wasOwn) {
        // What is beneath an unmarked wrapper may have changed meanwhile.
        const value = (patched as { readonly __original?: unknown }).__original ?? original;
        Object.defineProperty(target, name, { ...descriptor(target, name), value });
      } else delete target[name];
    }
  }

  get count(): number {
    return this.patches.length;
  }

  private replace(holder: Record<PropertyKey, unknown>, name: PropertyKey, original: AnyFunction, wrapper: Wrapper) {
    // Another instrumentation's wrapper is wrapped, not taken off as the base class would.
    if (isWrapped(original)) {
      const value = this.marked(named(wrapper(original), original));
      Object.defineProperty(holder, name, { ...descriptor(holder, name), value });
    } else {
      this.wrap(holder, name, (inner: any) => this.marked(named(wrapper(inner), inner)));
    }
  }

  private marked(wrapper: AnyFunction): AnyFunction {
    return Object.defineProperty(wrapper, OWNER, { value: this.owner });
  }

  /** Whether a call comes to the wrapper of another instance of this instrumentation, that is on. */
  private isTakenByAnother(method: unknown): boolean {
    for (const wrapper of wrappersOf(method)) {
      const owner: PatchOwner | undefined = (wrapper as any)[OWNER];
      if (owner === undefined || owner === this.owner || owner.name !== this.owner.name || !owner.isEnabled()) continue;
      if (!this.hasStoodDown) this.warn(`${owner.name} is registered already: this instance of it traces nothing`);
      this.hasStoodDown = true;
      return true;
    }
    return false;
  }
}

/** Whether a call of the method still comes to our wrapper, as far as that can be seen through others' wrappers. */
function isStillInside({ target, name, original, patched }: Patch): boolean {
  let last: unknown;
  for (const wrapper of wrappersOf(target[name])) {
    if (wrapper === patched) return true;
    if (wrapper === original) return false;
    last = wrapper;
  }
  return last !== undefined; // a wrapper that does not tell what it wraps
}

/** The function and those that it wraps, as far as their wrappers tell. */
function wrappersOf(method: unknown): AnyFunction[] {
  const wrappers: AnyFunction[] = [];
  for (let current: any = method; typeof current === 'function' && wrappers.length < 20; current = current.__original) {
    wrappers.push(current);
  }
  return wrappers;
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
