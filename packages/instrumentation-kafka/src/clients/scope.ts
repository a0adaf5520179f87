/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { AnyFunction, Patches, Telemetry } from '@otel-messaging/messaging-common';
import type { MessageOptions } from '../message';
import { type RetryOptions, RetryTopics } from '../retry-topics';

/** What an instrumentation brings along. */
export interface Means {
  readonly patches: Patches;
  readonly telemetry: Telemetry;
  readonly options: MessageOptions & RetryOptions;
}

/** What all wrappers of one client share. */
export class Scope implements Means {
  readonly patches: Patches;
  readonly telemetry: Telemetry;
  readonly options: MessageOptions & RetryOptions;
  readonly topics: RetryTopics;
  private hasStoodDown = false;

  constructor(
    private readonly client: string,
    { patches, telemetry, options }: Means,
  ) {
    this.patches = patches;
    this.telemetry = telemetry;
    this.options = options;
    this.topics = new RetryTopics(options);
  }

  /** Wraps a method; false where another instrumentation was there first: one message must not have two spans. */
  wrap(target: object, name: PropertyKey, wrapper: (original: AnyFunction) => AnyFunction): boolean {
    const current = (target as Record<PropertyKey, unknown>)[name];
    if (typeof current !== 'function' || this.patches.isForeign(current)) return false;
    return this.patches.add(target, name, wrapper);
  }

  /** Says once that somebody else traces this client's messages. */
  standDown(): void {
    if (this.hasStoodDown) return;
    this.hasStoodDown = true;
    this.telemetry.diag.warn(
      `${this.client} is not traced by @otel-messaging/instrumentation-kafka: another instrumentation traces it`,
    );
  }
}
