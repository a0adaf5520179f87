/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context } from '@opentelemetry/api';
import type { AnyFunction, HandlerManner, ReceiveOperation } from '@otel-messaging/messaging-common';
import type { AmqpMessage, Channel } from './amqplib';
import type { ChannelState, Channels } from './channels';
import { DeliveredMessages } from './message';
import { type Origin, processFacts, receiveFacts } from './operations';
import { Plans } from './plans';

/** amqplib does not look at what a consumer returns. */
const MANUAL: HandlerManner = { endsAtSettlement: true, dropsPromise: true };
const NO_ACK: HandlerManner = { endsAtSettlement: false, dropsPromise: true };

/** `channel.consume`, of both APIs. */
export function consume(channels: Channels, original: AnyFunction): AnyFunction {
  return function consume(this: Channel, ...args: unknown[]) {
    const [queue, callback, options, ...rest] = args;
    if (typeof callback !== 'function') return original.apply(this, args);
    const consumer = channels.telemetry.guard('follow a consumer', callback, () =>
      observed(channels, channels.of(this), textOf(queue), isNoAck(options), callback as AnyFunction),
    );
    return original.call(this, queue, consumer, options, ...rest);
  };
}

function observed(
  { telemetry }: Channels,
  state: ChannelState,
  queue: string,
  noAck: boolean,
  callback: AnyFunction,
): AnyFunction {
  const reader = new DeliveredMessages(queue);
  const { broker } = state.connection;
  const plans = new Plans(telemetry, (exchange, routingKey) => processFacts(broker, { exchange, routingKey, queue }));
  return function consumer(this: unknown, message: AmqpMessage | null) {
    // null: the broker has cancelled the consumer
    if (message === null || !telemetry.isOn()) return callback.call(this, message);
    const { deliveryTag: tag, exchange, routingKey } = message.fields ?? {};
    const operation = telemetry.startProcess(plans.for(textOf(exchange), textOf(routingKey)), message, reader);
    if (operation === undefined) return callback.call(this, message);
    if (noAck || typeof tag !== 'number') return operation.handle(NO_ACK, callback, this, message);
    state.keepTrack();
    state.open.add(tag, operation);
    remember(state, telemetry.config.settleSpans, tag, message, queue, reader, telemetry);
    try {
      return operation.handle(MANUAL, callback, this, message);
    } catch (error) {
      state.open.forget(tag);
      throw error;
    }
  };
}

/** `channel.get` of the promise API. */
export function get(channels: Channels, original: AnyFunction): AnyFunction {
  return function get(this: Channel, ...args: unknown[]) {
    const pull = startPull(channels, this, args);
    if (pull === undefined) return original.apply(this, args);
    const promise = pull.operation.run(original, this, ...args) as Promise<AmqpMessage | false>;
    // Not the client's own promise: with a handler on that one, a rejection that the application forgot would no longer be reported.
    return promise.then(
      (message) => {
        pull.end(message);
        return message;
      },
      (error) => {
        pull.operation.fail(error);
        throw error;
      },
    );
  };
}

/** `channel.get` of the callback API. */
export function getWithCallback(channels: Channels, original: AnyFunction): AnyFunction {
  return function get(this: Channel, ...args: unknown[]) {
    const [queue, options, callback] = args;
    const pull = startPull(channels, this, args);
    if (pull === undefined) return original.apply(this, args);
    const ambient = context.active();
    const done = (...results: unknown[]) => {
      const [error, message] = results;
      if (error) pull.operation.fail(error);
      else pull.end(message as AmqpMessage | false);
      return typeof callback === 'function'
        ? context.with(ambient, callback as AnyFunction, undefined, ...results)
        : undefined;
    };
    return pull.operation.run(original, this, queue, options, done);
  };
}

interface Pull {
  readonly operation: ReceiveOperation;
  end(message: AmqpMessage | false): void;
}

function startPull(channels: Channels, channel: Channel, [queue, options]: readonly unknown[]): Pull | undefined {
  const { telemetry } = channels;
  if (!telemetry.isOn()) return undefined;
  return telemetry.guard('describe a get', undefined, () => {
    const state = channels.of(channel);
    const { broker } = state.connection;
    const from: Origin = { exchange: '', routingKey: '', queue: textOf(queue) };
    const operation = telemetry.startReceive(telemetry.plan(receiveFacts(broker, from)));
    if (operation === undefined) return undefined;
    const noAck = isNoAck(options);
    const end = (message: AmqpMessage | false) =>
      operation.guarded('read a pulled message', () => {
        if (!message) {
          operation.end();
          return;
        }
        const { exchange, routingKey, deliveryTag: tag } = message.fields ?? {};
        const origin: Origin = { exchange: textOf(exchange), routingKey: textOf(routingKey), queue: from.queue };
        const reader = new DeliveredMessages(origin.queue);
        operation.endWithMessages([message as object], reader, telemetry.plan(processFacts(broker, origin)));
        if (noAck || typeof tag !== 'number') return;
        state.hasPulled = true;
        remember(state, telemetry.config.settleSpans, tag, message, origin.queue, reader, telemetry);
      });
    return { operation, end };
  });
}

/** Settle spans say how many messages they settle and link to their creation contexts. */
function remember(
  state: ChannelState,
  isNeeded: boolean,
  tag: number,
  message: AmqpMessage,
  queue: string,
  reader: DeliveredMessages,
  telemetry: Channels['telemetry'],
): void {
  if (!isNeeded) return;
  const { exchange, routingKey } = message.fields ?? {};
  const origin: Origin = { exchange: textOf(exchange), routingKey: textOf(routingKey), queue };
  state.keepTrack();
  state.unsettled.set(tag, { origin, creation: telemetry.extract(message, reader).creation });
}

function isNoAck(options: unknown): boolean {
  return typeof options === 'object' && options !== null && Boolean((options as { noAck?: unknown }).noAck);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
