/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context } from '@opentelemetry/api';
import type { AnyFunction, Telemetry } from '@otel-messaging/messaging-common';
import type { Channel } from './amqplib';
import type { Channels } from './channels';

/**
 * A callback that runs in the context that it is given in, also in none: what is active where the broker's answer is read is the
 * context that the connection was opened in, and of another request.
 */
export function inItsContext<T>(telemetry: Telemetry, callback: T): T {
  if (typeof callback !== 'function') return callback;
  return telemetry.guard('bind a callback', callback, () => context.bind(context.active(), callback));
}

/** `channel._rpc`, by which everything that the broker answers is asked: declaring, binding, consuming, opening. */
export function _rpc({ telemetry }: Channels, original: AnyFunction): AnyFunction {
  return function _rpc(this: Channel, ...args: unknown[]) {
    if (typeof args[3] === 'function' && telemetry.isOn()) args[3] = inItsContext(telemetry, args[3]);
    return original.apply(this, args);
  };
}

/** `close` of a connection of the callback API. */
export function closeConnection(telemetry: Telemetry, original: AnyFunction): AnyFunction {
  return function close(this: unknown, ...args: unknown[]) {
    if (typeof args[0] === 'function' && telemetry.isOn()) args[0] = inItsContext(telemetry, args[0]);
    return original.apply(this, args);
  };
}
