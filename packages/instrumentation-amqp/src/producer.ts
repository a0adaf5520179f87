/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { AnyFunction, OperationPlan, SendOperation, Telemetry } from '@otel-messaging/messaging-common';
import type { AmqpProperties, Channel } from './amqplib';
import { inItsContext } from './callbacks';
import type { ChannelState, Channels } from './channels';
import { OutgoingMessage, outgoingMessages } from './message';
import type { Plans } from './plans';
import { type QueuedPublish, queuedWith, sendQueued } from './queued-publish';
import { addressOf, markOf, ReturnsOnly } from './returns';

type Send = SendOperation<OutgoingMessage>;

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
    if (!channels.telemetry.isOn() || isConfirmChannel(this)) return original.apply(this, args);
    const queued = queuedWith(args[3]);
    if (queued !== undefined) return sendQueued(channels, queued, original, this, args);
    const state = channels.of(this);
    const operation = startSend(channels, state, args);
    if (operation === undefined) return original.apply(this, args);
    const result = send(state, operation, original, this, args);
    operation.end();
    return result;
  };
}

/** `publish` of a confirm channel: its span ends with the broker's answer. */
export function publishConfirmed(channels: Channels, original: AnyFunction): AnyFunction {
  return function publish(this: Channel, ...args: unknown[]) {
    if (!channels.telemetry.isOn()) return original.apply(this, args);
    const queued = queuedWith(args[3]);
    const state = channels.of(this);
    if (queued !== undefined) {
      const result = sendQueued(channels, queued, original, this, args);
      awaitReturn(channels, this, state, queued, args);
      return result;
    }
    const operation = startSend(channels, state, args);
    if (operation === undefined) return original.apply(this, args);
    const [exchange, routingKey, content, options, callback] = args;
    const answered = inItsContext(channels.telemetry, callback);
    const result = send(state, operation, original, this, [exchange, routingKey, content, options, answered]);
    endWithConfirm(channels, this, state, operation, exchange, routingKey);
    return result;
  };
}

/** `channel.sendMessage`, to which every publish hands the header table that amqplib has made for it. */
export function sendMessage(channels: Channels, original: AnyFunction): AnyFunction {
  return function sendMessage(this: Channel, fields: unknown, properties: AmqpProperties, content: unknown) {
    const state = channels.find(this);
    const message = state?.outgoing;
    if (state !== undefined && message !== undefined) {
      state.outgoing = undefined;
      try {
        message.addTo(properties.headers as Record<string, unknown>);
      } catch (error) {
        channels.telemetry.report('write a context into a message', error);
      }
    }
    return original.call(this, fields, properties, content);
  };
}

/** Undefined also for names that amqplib will refuse. */
function startSend({ telemetry }: Channels, { connection }: ChannelState, args: unknown[]): Send | undefined {
  const [exchange, routingKey, content, options] = args;
  try {
    const plan = planOf(connection.sends, exchange ?? '', routingKey ?? '');
    if (plan === undefined) return undefined;
    const properties = typeof options === 'object' && options !== null ? (options as AmqpProperties) : undefined;
    return telemetry.startSend(plan, new OutgoingMessage(content, properties, connection.frameMax), outgoingMessages);
  } catch (error) {
    telemetry.report('describe a publish', error);
    return undefined;
  }
}

function planOf(plans: Plans, exchange: unknown, routingKey: unknown): OperationPlan | undefined {
  return typeof exchange === 'string' && typeof routingKey === 'string' ? plans.for(exchange, routingKey) : undefined;
}

/**
 * Calls amqplib with the application's own arguments; a throw ends the operation. Not in the context of the span: nothing
 * in there looks at it, and to enter a context costs more than all the rest.
 */
function send(state: ChannelState, operation: Send, original: AnyFunction, channel: Channel, args: unknown[]): unknown {
  const outer = state.outgoing; // a getter among the options may publish too
  state.outgoing = operation.message;
  try {
    return original.apply(channel, args);
  } catch (error) {
    operation.fail(error);
    throw error;
  } finally {
    state.outgoing = outer;
  }
}

/**
 * Leaves the span to the broker's answer. Without a callback in amqplib's list: up to 1.x it keeps the slots that have
 * none when a channel closes, for `waitForConfirms()` to fail on them.
 */
function endWithConfirm(
  { telemetry }: Channels,
  channel: Channel,
  state: ChannelState,
  operation: Send,
  exchange: unknown,
  routingKey: unknown,
): void {
  if (!state.seesConfirms) {
    operation.end();
    return;
  }
  state.keepTrack();
  state.unconfirmed.add(lastTag(channel), operation, markIfMandatory(telemetry, operation, exchange, routingKey));
}

/** A wrapper hears of its confirms itself, but not which message came back. */
function awaitReturn(
  { telemetry }: Channels,
  channel: Channel,
  state: ChannelState,
  queued: QueuedPublish,
  [exchange, routingKey]: readonly unknown[],
): void {
  if (!state.seesConfirms) return;
  const mark = markIfMandatory(telemetry, queued.operation, exchange, routingKey);
  if (mark === undefined) return;
  state.keepTrack();
  state.unconfirmed.add(lastTag(channel), new ReturnsOnly(queued.operation), mark);
}

/** Tag of the message that was published last. */
function lastTag({ lwm, unconfirmed }: Channel): number {
  return lwm + unconfirmed.length - 1;
}

function markIfMandatory(
  telemetry: Telemetry,
  { message, span }: Send,
  exchange: unknown,
  routingKey: unknown,
): string | undefined {
  return telemetry.guard('note a mandatory send', undefined, () => {
    if (!message.properties?.['mandatory']) return undefined;
    return markOf(telemetry, message, span?.spanContext().spanId, addressOf(exchange, routingKey));
  });
}
