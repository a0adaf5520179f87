/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  type AnyFunction,
  InstrumentationNodeModuleDefinition,
  moduleFile,
  type Patches,
} from '@otel-messaging/messaging-common';
import type { AwsClientLike } from './client-state';

/** What is used of the modules: the class that the clients of all services extend. */
interface BaseModule {
  readonly Client?: { readonly prototype: object };
}

/** Makes the traced `send` of a client, around the one that it has. */
export type SendMaker = (original: AnyFunction, isShared: () => boolean) => AnyFunction;

/** All doors, of several instrumentations too. */
const doors = new WeakSet<AnyFunction>();

/**
 * The base class of Amazon's clients, as a second door: an `import` of a client's package is seen by nobody in an application
 * without a loader hook, but the package itself gets its base class by `require`. Clients whose own package was seen pass.
 */
export class BaseClients {
  // All copies of the packages: the base class of instrumentations remembers the last one only, for `enable()`.
  private readonly bases = new Set<object>();
  /** The traced `send` by the prototype of a client; false for clients that are not traced here. */
  private senders = new WeakMap<object, AnyFunction | false>();

  /** @param makers by the names of the clients' classes */
  constructor(
    private readonly patches: Patches,
    private readonly makers: Readonly<Record<string, SendMaker>>,
  ) {}

  definitions(): InstrumentationNodeModuleDefinition[] {
    const patch = (exports: BaseModule) => this.patch(exports);
    return [
      new InstrumentationNodeModuleDefinition('@aws-sdk/smithy-client', ['>=3.200.0'], patch),
      new InstrumentationNodeModuleDefinition('@smithy/smithy-client', ['>=1.0.0'], patch),
      new InstrumentationNodeModuleDefinition('@smithy/core', CORE_VERSIONS, undefined, undefined, [
        moduleFile('@smithy/core/dist-cjs/submodules/client/index.js', CORE_VERSIONS, patch),
      ]),
    ];
  }

  /** Whether nothing is missed without a hook's view of the module. */
  isEnoughFor(name: string): boolean {
    // Of those loaded early, a base class is seen when the next client is.
    return CLIENTS.includes(name) ? this.bases.size > 0 : BASES.includes(name);
  }

  /** To be called when the class of a client was patched itself. */
  forget(): void {
    this.senders = new WeakMap();
  }

  private patch(exports: BaseModule): BaseModule {
    const prototype = exports?.Client?.prototype;
    if (prototype !== undefined) this.bases.add(prototype);
    for (const base of this.bases) {
      this.patches.addUnmarked(base, 'send', (original) => this.door(base, original));
    }
    this.forget();
    return exports;
  }

  private door(base: object, original: () => AnyFunction): AnyFunction {
    const inner = function (this: unknown, ...args: unknown[]) {
      return original().apply(this, args);
    };
    // Asked for each call: another instrumentation may be enabled late, above ours, or beneath it.
    const isShared = () => isInstrumented(original()) || isInstrumented((base as { send?: unknown }).send, door);
    const senderOf = (client: object): AnyFunction | undefined => {
      try {
        const type = Object.getPrototypeOf(client);
        const known = this.senders.get(type);
        if (known !== undefined) return known || undefined;
        const sender = this.find(base, client)?.(inner, isShared);
        this.senders.set(type, sender ?? false);
        return sender;
      } catch {
        return undefined; // a hostile getter; the client meets it next
      }
    };
    const door = function send(this: object, ...args: unknown[]) {
      return (senderOf(this) ?? original()).apply(this, args);
    };
    doors.add(door);
    return door;
  }

  private find(base: object, client: AwsClientLike): SendMaker | undefined {
    let type: object = client;
    for (let parent = Object.getPrototypeOf(type); parent !== base; parent = Object.getPrototypeOf(type)) {
      if (parent === null) return undefined;
      type = parent;
    }
    const { name } = type.constructor;
    const serviceId = client.config?.serviceId;
    const isNamedSo = serviceId === undefined || `${serviceId}Client` === name;
    if (!isNamedSo || !Object.hasOwn(this.makers, name) || this.patches.has(type, 'send')) return undefined;
    return this.makers[name];
  }
}

/** What a door leads to; any other function itself. */
export function behindDoor(send: AnyFunction): AnyFunction {
  let current = send;
  while (doors.has(current)) current = (current as AnyFunction & { readonly __original: AnyFunction }).__original;
  return current;
}

/**
 * Whether OpenTelemetry's own instrumentation of the AWS SDK, or another built like it, or another one of ours, has patched the
 * function.
 */
export function isInstrumented(send: unknown, ownDoor?: AnyFunction): boolean {
  if ((send as { readonly __wrapped?: unknown } | undefined)?.__wrapped === true) return true;
  return send !== ownDoor && doors.has(send as AnyFunction);
}

const CLIENTS: readonly string[] = ['@aws-sdk/client-sqs', '@aws-sdk/client-sns'];
/** Oldest first; the class moved to the last with its 3.24. */
const BASES: readonly string[] = ['@aws-sdk/smithy-client', '@smithy/smithy-client', '@smithy/core'];
const CORE_VERSIONS = ['>=3.24.0'];
