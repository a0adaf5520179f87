/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { Given } from './given';

/**
 * Watches a promise of the application that goes back to it: it stays the very same promise, with the members it has, and a rejection
 * that the application forgets is still reported as unhandled, one that it handles anywhere is not.
 *
 * Our own handler makes a promise look handled. But whoever else waits for it, by `then`, `await` or `Promise.all`, reads
 * its `constructor` first; the language says so. Nobody read it: the rejection is passed on, to be reported. Somebody reads
 * it later: the report is taken back, as that of the promise itself would be. Handlers from before the promise is given to
 * us are not seen. As with arrays, a prototype before the promise's own does it: a property of its own would take the quick
 * way of awaiting from all promises of the process.
 * @param rejected told of a rejection; must not throw
 * @returns whether it is watched; a frozen promise cannot be
 */
export function watchGivenBack(
  promise: Promise<unknown>,
  fulfilled: () => void,
  rejected: (error: unknown) => void,
): boolean {
  const earlier = Watch.of(promise);
  if (earlier !== undefined) {
    earlier.unseen(() => promise.then(fulfilled, rejected)); // the first one reports
    return true;
  }
  if (!Object.isExtensible(promise)) return false;
  const watch = new Watch();
  watch.passedOn = promise.then(fulfilled, (error) => {
    rejected(error);
    if (!watch.isHandled) throw error;
  });
  Watch.put(promise, watch);
  Object.setPrototypeOf(promise, prototypeBefore(Object.getPrototypeOf(promise)));
  return true;
}

/** What is known of one promise. */
class Watch {
  isHandled = false;
  /** Ours; rejects where nobody else may be waiting. */
  passedOn: Promise<void> | undefined;
  private isOurs = false;

  static of(promise: object): Watch | undefined {
    return Mark.on(promise);
  }

  static put(promise: object, watch: Watch): void {
    new Mark(promise, watch);
  }

  /** Somebody waits for the promise, or looks at it. */
  seen(): void {
    if (this.isHandled || this.isOurs) return;
    this.isHandled = true;
    this.passedOn?.catch(ignore);
  }

  unseen(code: () => void): void {
    this.isOurs = true;
    try {
      code();
    } finally {
      this.isOurs = false;
    }
  }
}

class Mark extends Given {
  #watch: Watch;

  constructor(promise: object, watch: Watch) {
    super(promise);
    this.#watch = watch;
  }

  static on(promise: object): Watch | undefined {
    return #watch in promise ? promise.#watch : undefined;
  }
}

function ignore(): void {}

/** What stands before the prototype of promises, and of classes that inherit from them. */
const prototypes = new WeakMap<object, object>();

function prototypeBefore(own: object): object {
  let prototype = prototypes.get(own);
  if (prototype === undefined) {
    prototype = Object.create(own, {
      constructor: {
        configurable: true,
        get(this: object) {
          Watch.of(this)?.seen();
          return Reflect.get(own, 'constructor', this);
        },
        set(this: object, value: unknown) {
          Object.defineProperty(this, 'constructor', { value, configurable: true, enumerable: true, writable: true });
        },
      },
    }) as object;
    prototypes.set(own, prototype);
  }
  return prototype;
}
