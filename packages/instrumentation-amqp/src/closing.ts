/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { AnyFunction } from '@otel-messaging/messaging-common';
import type { Channel } from './amqplib';
import { inItsContext } from './callbacks';
import type { Channels } from './channels';

const REPLY_SUCCESS = 200;

/** A broker, or amqplib on its behalf, gave a reply code that is none of success. */
interface AmqpError extends Error {
  readonly code?: number;
}

/** `channel.allocate`: the channel begins its life, and has bound the functions that hear confirms. */
export function allocate(channels: Channels, original: AnyFunction): AnyFunction {
  return function allocate(this: Channel, ...args: unknown[]) {
    channels.telemetry.guard('note a new channel', undefined, () => {
      channels.of(this).seesConfirms = true;
    });
    return original.apply(this, args);
  };
}

/** `channel.closeBecause`: the client closes the channel, by wish or since something went wrong. */
export function closeBecause(channels: Channels, original: AnyFunction): AnyFunction {
  return function closeBecause(this: Channel, ...args: unknown[]) {
    const { telemetry } = channels;
    const [reason, code, closed] = args;
    const state = channels.find(this);
    if (state !== undefined && code !== REPLY_SUCCESS) state.closeReason = closeError(String(reason), Number(code));
    if (typeof closed === 'function' && telemetry.isOn()) args[2] = inItsContext(telemetry, closed);
    return original.apply(this, args);
  };
}

/** `channel.toClosed`: the channel is gone, for whatever reason; the reason stands in the first line of the stack. */
export function toClosed(channels: Channels, original: AnyFunction): AnyFunction {
  return function toClosed(this: Channel, stack: unknown, ...rest: unknown[]) {
    channels.telemetry.guard('end what is open on a channel', undefined, () => {
      const state = channels.find(this);
      state?.close(state.closeReason ?? errorOf(stack));
    });
    return original.call(this, stack, ...rest);
  };
}

/**
 * The error in amqplib's account of why a channel closed; undefined if that was wanted.
 * `Stack capture: Channel closed by server: 404 (NOT-FOUND) with message "…"`, or `Socket error`, or `… CloseOk received`.
 */
export function errorOf(stack: unknown): Error | undefined {
  const [firstLine = ''] = typeof stack === 'string' ? stack.split('\n', 1) : [];
  const reason = firstLine.replace('Stack capture: ', '');
  if (/CloseOk/.test(reason) || /closeBecause called/.test(reason) || reason === '') return undefined;
  const code = Number(/: (\d{3}) \(/.exec(reason)?.[1]);
  return code === REPLY_SUCCESS ? undefined : closeError(reason, code);
}

function closeError(message: string, code: number): AmqpError {
  const error = new Error(message);
  error.name = 'ChannelClosedError';
  return Number.isNaN(code) ? error : Object.assign(error, { code });
}
