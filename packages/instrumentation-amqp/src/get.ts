/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { AnyFunction, ReceiveOperation } from '@otel-messaging/messaging-common';
import type { AmqpMessage, Channel } from './amqplib';
import { inItsContext } from './callbacks';
import type { ChannelState, Channels } from './channels';
import { isNoAck, type QueueSource, textOf } from './queue-source';

/** `channel.get` of the promise API. */
export function get(channels: Channels, original: AnyFunction): AnyFunction {
  return function get(this: Channel, ...args: unknown[]) {
    const pull = startPull(channels, this, args);
    if (pull === undefined) return original.apply(this, args);
    const promise = call(pull, original, this, args) as Promise<AmqpMessage | false>;
    // Not the client's own promise: with a handler on that one, a rejection that the application forgot would no longer
    // be reported.
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
    // What is no function is for amqplib to complain of.
    const pull = !callback || typeof callback === 'function' ? startPull(channels, this, args) : undefined;
    if (pull === undefined) return original.apply(this, args);
    const answer = inItsContext(channels.telemetry, callback) as AnyFunction | null | undefined;
    const done = (...results: unknown[]) => {
      const [error, message] = results;
      if (error === null) pull.end(message as AmqpMessage | false);
      else pull.operation.fail(error);
      return answer ? answer(...results) : undefined;
    };
    return call(pull, original, this, [queue, options, done]);
  };
}

interface Pull {
  readonly operation: ReceiveOperation;
  end(message: AmqpMessage | false): void;
}

/**
 * A throw ends the operation. Not in its context, by which requests of a client inside a poll are kept from being traced:
 * amqplib makes none, and to enter a context is half of what a pull costs.
 */
function call({ operation }: Pull, original: AnyFunction, channel: Channel, args: unknown[]): unknown {
  try {
    return original.apply(channel, args);
  } catch (error) {
    operation.fail(error);
    throw error;
  }
}

function startPull(channels: Channels, channel: Channel, [queue, options]: readonly unknown[]): Pull | undefined {
  const { telemetry } = channels;
  if (!telemetry.isOn()) return undefined;
  return telemetry.guard('describe a get', undefined, () => {
    const state = channels.of(channel);
    const source = state.sourceOf(textOf(queue));
    const isSettled = isNoAck(options);
    const operation = telemetry.startReceive(source.pulls.for('', ''));
    if (operation === undefined) return undefined;
    return { operation, end: (message: AmqpMessage | false) => end(operation, state, source, isSettled, message) };
  });
}

function end(
  operation: ReceiveOperation,
  state: ChannelState,
  source: QueueSource,
  isSettled: boolean,
  message: AmqpMessage | false,
): void {
  operation.guarded('read a pulled message', () => {
    if (!message) return operation.end();
    const { exchange, routingKey } = source.originOf(message);
    operation.refine(source.receives.for(exchange, routingKey));
    operation.endWithMessages([message], source.reader, source.processes.for(exchange, routingKey));
    const tag = message.fields?.deliveryTag;
    if (isSettled || typeof tag !== 'number') return;
    state.hasPulled = true;
    source.remember(state, tag, message);
  });
}
