/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Telemetry } from '@otel-messaging/messaging-common';
import type { Command, TracedCall } from './traced-call';

/** How a command is traced; undefined for what is better left to the client as it is. */
export type Trace<Place> = (telemetry: Telemetry, place: Place, command: Command) => TracedCall | undefined;

/** A class of commands that is traced. */
export interface CommandType<Place> {
  readonly trace: Trace<Place>;
  /** A class of the application, which extends one of the client's. */
  readonly isSubclass: boolean;
}

/** The commands of one service that are traced, by the names of their classes. */
export class CommandTypes<Place> {
  private readonly byClass = new WeakMap<object, CommandType<Place> | false>();

  constructor(private readonly traced: Readonly<Record<string, Trace<Place>>>) {}

  /**
   * The type of a command that is traced. By the names of its class and those it extends: a command may come from another
   * copy of the package.
   */
  of(command: unknown): CommandType<Place> | undefined {
    try {
      const type = (command as object | undefined)?.constructor;
      if (typeof type !== 'function') return undefined;
      const known = this.byClass.get(type);
      if (known !== undefined) return known || undefined;
      const found = this.find(type);
      this.byClass.set(type, found ?? false);
      return found;
    } catch {
      return undefined; // a hostile getter; the client meets it next
    }
  }

  private find(type: Function): CommandType<Place> | undefined {
    const { traced } = this;
    for (let at: unknown = type; typeof at === 'function'; at = Object.getPrototypeOf(at)) {
      const trace = Object.hasOwn(traced, at.name) ? traced[at.name] : undefined;
      if (trace !== undefined) return { trace, isSubclass: at !== type };
    }
    return undefined;
  }
}
