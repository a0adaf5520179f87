/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context } from '@opentelemetry/api';
import type { AnyFunction, OperationPlan, SendOperation } from '@otel-messaging/messaging-common';
import type { AmqpProperties, Channel, TagFrame } from './amqplib';
import type { ChannelState, Channels } from './channels';
import { OutgoingMessage, outgoingMessages } from './message';

/**
 * `channel.publish`, which `sendToQueue` calls. It only writes to a buffer, so its span ends when it returns.
 * @param isConfirmChannel those call it from a `publish` of their own, which is patched too
 */
export function publish(
  channels: Channels,
  isConfirmChannel: (channel: unknown) => boolean,
  original: AnyFunction,
): AnyFunction {
  return function publish(this: Channel, ...args: unknown[]) {
    const [exchange, routingKey, content, options] = args;
    if (!channels.telemetry.isOn() || isConfirmChannel(this)) return original.apply(this, args);
    const operation = startSend(channels, channels.of(this), exchange, routingKey, content, options);
    if (operation === undefined) return original.apply(this, args);
    try {
      const result = original.call(this, exchange, routingKey, content, operation.message.properties ?? options);
      operation.end();
      return result;
    } catch (error) {
      operation.fail(error);
      throw error;
    }
  };
}

/** `publish` of a confirm channel: its span ends with the broker's answer. */
export function publishConfirmed(channels: Channels, original: AnyFunction): AnyFunction {
  return function publish(this: Channel, ...args: unknown[]) {
    if (!channels.telemetry.isOn()) return original.apply(this, args);
    const [exchange, routingKey, content, options, callback] = args;
    const state = channels.of(this);
    const operation = startSend(channels, state, exchange, routingKey, content, options);
    if (operation === undefined) return original.apply(this, args);
    try {
      const properties = operation.message.properties ?? options;
      const result = original.call(this, exchange, routingKey, content, properties, inContext(callback));
      endWithConfirm(this, state, operation);
      return result;
    } catch (error) {
      operation.fail(error);
      throw error;
    }
  };
}

/** `channel.handleConfirm`, which hears every answer of the broker; `handle` calls a callback as the answer demands. */
export function handleConfirm(channels: Channels, original: AnyFunction): AnyFunction {
  return function handleConfirm(this: Channel, handle: (callback: (error: unknown) => void) => void, frame: TagFrame) {
    const state = channels.find(this);
    if (state !== undefined && state.unconfirmed.size > 0) {
      channels.telemetry.guard('end a confirmed send', undefined, () => {
        let isRefused = false;
        handle((error) => {
          isRefused = error !== null;
        });
        state.unconfirmed.answer(frame.deliveryTag, frame.multiple === true, isRefused ? new NackError() : undefined);
      });
    }
    return original.call(this, handle, frame);
  };
}

/** The broker could not take a message. */
class NackError extends Error {
  /** Becomes `error.type`. */
  readonly type = 'nack';

  constructor() {
    super('the broker refused the message');
  }
}

function startSend(
  { telemetry }: Channels,
  { connection }: ChannelState,
  exchange: unknown,
  routingKey: unknown,
  content: unknown,
  options: unknown,
): SendOperation<OutgoingMessage> | undefined {
  const plan = planOf(connection.sends, exchange ?? '', routingKey ?? '');
  if (plan === undefined) return undefined;
  const properties = typeof options === 'object' && options !== null ? (options as AmqpProperties) : undefined;
  return telemetry.startSend(plan, new OutgoingMessage(content, properties, connection.frameMax), outgoingMessages);
}

function planOf(
  plans: { for(exchange: string, routingKey: string): OperationPlan },
  exchange: unknown,
  routingKey: unknown,
): OperationPlan | undefined {
  return typeof exchange === 'string' && typeof routingKey === 'string' ? plans.for(exchange, routingKey) : undefined;
}

/**
 * Leaves the span to the broker's answer. Ours is no callback in amqplib's list: when a channel closes, amqplib up to 1.x
 * keeps the slots that have none, for `waitForConfirms()` to fail on them.
 */
function endWithConfirm(channel: Channel, state: ChannelState, operation: SendOperation<OutgoingMessage>): void {
  const tag = channel.lwm + channel.unconfirmed.length - 1;
  if (!state.seesConfirms || !Number.isInteger(tag)) {
    operation.end();
    return;
  }
  state.keepTrack();
  state.unconfirmed.add(tag, operation as SendOperation<unknown>);
}

/** The application's own callback, called in the context of its publish: the socket's is an accident. */
function inContext(callback: unknown): unknown {
  return typeof callback === 'function' ? context.bind(context.active(), callback) : callback;
}
