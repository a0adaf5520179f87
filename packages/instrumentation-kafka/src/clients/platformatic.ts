/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { channel } from 'node:diagnostics_channel';
import { followLag } from './platformatic-lag';
import { patchProducer } from './platformatic-producer';
import { patchStream } from './platformatic-stream';
import { type Means, Scope } from './scope';

/** Where @platformatic/kafka says which clients it makes, in ES modules, CommonJS and bundles alike. */
const INSTANCES = 'plt:kafka:instances';

interface Created {
  readonly type?: unknown;
  readonly instance?: unknown;
}

/**
 * Finds the classes of @platformatic/kafka by the first of their instances, and wraps their prototypes.
 * No module hook: the package has ES modules only, which nothing hooks in an application without a loader. Besides that
 * of the consumers' lag none of its other channels: they show an application's options, in which nothing may be changed,
 * and a record before anybody has it.
 */
export class Platformatic {
  private readonly scope: Scope;
  /** Prototypes of all copies of the package, with what is patched on them. */
  private readonly known = new Map<object, (prototype: object, scope: Scope) => boolean>();

  constructor(means: Means) {
    this.scope = new Scope('@platformatic/kafka', means);
    // A subscriber that throws would end the process. It is called for each new client, and never taken off: clients
    // that are made while the instrumentation is off are traced when it is on again.
    channel(INSTANCES).subscribe((message) => {
      this.scope.telemetry.guard('trace a client', undefined, () => this.learn(message as Created));
    });
    followLag(means.telemetry);
  }

  /** Patches what is known, where it is not patched. */
  enable(): void {
    for (const [prototype, patch] of this.known) if (!patch(prototype, this.scope)) this.scope.standDown();
  }

  private learn({ type, instance }: Created): void {
    const kind = KINDS.find((one) => one.type === type);
    const prototype = kind && definer(instance as object, kind.member);
    if (kind === undefined || prototype === undefined || this.known.has(prototype)) return;
    this.known.set(prototype, kind.patch);
    if (this.scope.telemetry.isEnabled) this.enable();
  }
}

/** What is patched, by the type that the channel gives it; `member` is what its class alone defines. */
const KINDS = [
  { type: 'producer', member: 'send', patch: patchProducer },
  { type: 'messages-stream', member: 'offsetsToFetch', patch: patchStream },
] as const;

/** The prototype of the client's own class, which an application may have extended: the last that defines a name. */
function definer(instance: object, name: string): object | undefined {
  let found: object | undefined;
  for (let at = Object.getPrototypeOf(instance); at !== null; at = Object.getPrototypeOf(at)) {
    if (Object.hasOwn(at, name)) found = at;
  }
  return found;
}
