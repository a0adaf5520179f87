/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { EventEmitter } from 'node:events';
import type { AnyFunction, HandlerManner, ProcessOperation, Telemetry } from '@otel-messaging/messaging-common';
import type { AmqpMessage, Channel } from './amqplib';
import type { Channels } from './channels';
import { isNoAck, QueueSource, textOf } from './queue-source';

/** amqplib does not look at what a consumer returns. */
const TO_SETTLE: HandlerManner = { endsAtSettlement: true, dropsPromise: true };
const SETTLED: HandlerManner = { endsAtSettlement: false, dropsPromise: true };
/** It gives it to Node, which makes events of channels that capture rejections of them. */
const TO_SETTLE_CAPTURED: HandlerManner = { endsAtSettlement: true, dropsPromise: false };
const SETTLED_CAPTURED: HandlerManner = { endsAtSettlement: false, dropsPromise: false };

/** Where an emitter notes that it captures rejections (`events.captureRejections`); undefined if Node has changed that. */
const CAPTURES = Object.getOwnPropertySymbols(new EventEmitter({ captureRejections: true })).find(
  ({ description }) => description === 'kCapture',
);

/** `channel.consume`, of both APIs. */
export function consume(channels: Channels, original: AnyFunction): AnyFunction {
  return function consume(this: Channel, ...args: unknown[]) {
    const [queue, callback, options, ...rest] = args;
    if (typeof callback !== 'function') return original.apply(this, args);
    const consumer = channels.telemetry.guard('follow a consumer', callback, () =>
      observed(channels, this, textOf(queue), isNoAck(options), callback as AnyFunction),
    );
    return original.call(this, queue, consumer, options, ...rest);
  };
}

function observed(
  channels: Channels,
  channel: Channel,
  queue: string,
  noAck: boolean,
  callback: AnyFunction,
): AnyFunction {
  const { telemetry } = channels;
  const state = channels.of(channel);
  const source = new QueueSource(telemetry, state.connection.broker, queue);
  const captures = CAPTURES !== undefined && (channel as unknown as Record<symbol, unknown>)[CAPTURES] === true;
  const toSettle = captures ? TO_SETTLE_CAPTURED : TO_SETTLE;
  const settled = captures ? SETTLED_CAPTURED : SETTLED;
  return function consumer(this: unknown, message: AmqpMessage | null) {
    // null: the broker has cancelled the consumer
    if (message === null || !telemetry.isOn()) return callback.call(this, message);
    const operation = startProcess(telemetry, source, message);
    const tag = message.fields?.deliveryTag;
    if (operation === undefined) return callback.call(this, message);
    if (noAck || typeof tag !== 'number') return operation.handle(settled, callback, this, message);
    state.keepTrack();
    state.open.add(tag, operation);
    source.remember(state, tag, message);
    return operation.handle(toSettle, callback, this, message);
  };
}

function startProcess(
  telemetry: Telemetry,
  source: QueueSource,
  message: AmqpMessage,
): ProcessOperation<AmqpMessage> | undefined {
  try {
    const { fields } = message;
    const plan = source.processes.for(textOf(fields?.exchange), textOf(fields?.routingKey));
    return telemetry.startProcess(plan, message, source.reader);
  } catch (error) {
    telemetry.report('describe a delivery', error);
    return undefined;
  }
}
