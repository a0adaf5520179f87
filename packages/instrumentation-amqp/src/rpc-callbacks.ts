/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import type { AnyFunction } from '@otel-messaging/messaging-common';
import type { Channel } from './amqplib';
import type { Channels } from './channels';

/**
 * `channel._rpc`, by which everything that the broker answers is asked: declaring, binding, consuming, opening. The
 * callback runs in the context of the question: what is active where the answer is read is an accident, and a publish in a
 * callback would begin a trace of its own.
 */
export function _rpc(channels: Channels, original: AnyFunction): AnyFunction {
  return function _rpc(this: Channel, ...args: unknown[]) {
    const [method, fields, expect, callback, ...rest] = args;
    const active = channels.telemetry.isOn() ? context.active() : ROOT_CONTEXT;
    if (active === ROOT_CONTEXT || typeof callback !== 'function') return original.apply(this, args);
    return original.call(this, method, fields, expect, context.bind(active, callback as AnyFunction), ...rest);
  };
}
