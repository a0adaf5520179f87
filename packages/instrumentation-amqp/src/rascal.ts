/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context } from '@opentelemetry/api';
import type { AnyFunction, Telemetry } from '@otel-messaging/messaging-common';

/** What `lib/amqp/Vhost.js` exports; each vhost has methods of its own. */
export interface VhostModule {
  create(config: unknown, components: unknown, next: (error: unknown, vhost?: Vhost) => unknown): unknown;
}

type Vhost = Record<string, unknown>;

/** The methods that wait for a channel to publish with. */
const WAITING = ['borrowChannel', 'borrowConfirmChannel', 'getConfirmChannel'];

/**
 * `create(config, components, next)` of rascal's vhosts. Whoever publishes waits for a channel in a queue, whose workers run
 * in the context of whoever came first: each goes on in its own instead.
 */
export function createVhost(telemetry: Telemetry, original: AnyFunction): AnyFunction {
  return function create(this: unknown, ...args: unknown[]) {
    const [config, components, next, ...rest] = args;
    if (typeof next !== 'function') return original.apply(this, args);
    return original.call(
      this,
      config,
      components,
      (error: unknown, vhost?: Vhost, ...more: unknown[]) => {
        telemetry.guard('follow publications', undefined, () => {
          if (vhost) for (const name of WAITING) goesOnInContext(telemetry, vhost, name);
        });
        return (next as AnyFunction)(error, vhost, ...more);
      },
      ...rest,
    );
  };
}

function goesOnInContext(telemetry: Telemetry, vhost: Vhost, name: string): void {
  const original = vhost[name];
  if (typeof original !== 'function') return;
  vhost[name] = function (this: unknown, ...args: unknown[]) {
    const [next] = args;
    if (typeof next === 'function' && telemetry.isOn()) args[0] = context.bind(context.active(), next as AnyFunction);
    return (original as AnyFunction).apply(this, args);
  };
}
