/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type AnyFunction, deliveryOf, type Settlement } from '@otel-messaging/messaging-common';
import type { AmqpMessage, Channel } from './amqplib';
import type { ChannelState, Channels, Unsettled } from './channels';
import { settledMessages } from './message';
import { type Origin, settleFacts } from './operations';
import { textOf } from './queue-source';

type SettlementName = 'ack' | 'nack' | 'reject';

/** Of messages whose producers are not trusted: outside of any handler, too, a settlement is none of their trace's. */
const NO_TRACE = { home: undefined } as const;

/** What one call tells the broker. */
class Call {
  constructor(
    readonly name: SettlementName,
    readonly settlement: Settlement,
    /** Undefined: all messages of the channel. Whatever the application gave otherwise. */
    readonly message: unknown,
    readonly isUpTo: boolean,
  ) {}

  /** Delivery tag 0 stands for all; so does no message. */
  get tag(): number {
    const tag = (this.message as AmqpMessage | null | undefined)?.fields?.deliveryTag;
    return typeof tag === 'number' && tag !== 0 ? tag : Number.POSITIVE_INFINITY;
  }
}

/** `ack(message, allUpTo)` */
export function ack(channels: Channels, original: AnyFunction): AnyFunction {
  return function ack(this: Channel, ...args: unknown[]) {
    const [message, allUpTo] = args;
    return settle(channels, this, original, args, new Call('ack', 'ack', message, Boolean(allUpTo)));
  };
}

/** `nack(message, allUpTo, requeue)`; requeues if it is not told otherwise. */
export function nack(channels: Channels, original: AnyFunction): AnyFunction {
  return function nack(this: Channel, ...args: unknown[]) {
    const [message, allUpTo, requeue] = args;
    const settlement = requeues(requeue) ? 'requeue' : 'nack';
    return settle(channels, this, original, args, new Call('nack', settlement, message, Boolean(allUpTo)));
  };
}

/** `reject(message, requeue)`; requeues if it is not told otherwise. */
export function reject(channels: Channels, original: AnyFunction): AnyFunction {
  return function reject(this: Channel, ...args: unknown[]) {
    const [message, requeue] = args;
    const settlement = requeues(requeue) ? 'requeue' : 'reject';
    return settle(channels, this, original, args, new Call('reject', settlement, message, false));
  };
}

/** `ackAll()` */
export function ackAll(channels: Channels, original: AnyFunction): AnyFunction {
  return function ackAll(this: Channel, ...args: unknown[]) {
    return settle(channels, this, original, args, new Call('ack', 'ack', undefined, true));
  };
}

/** `nackAll(requeue)`; requeues if it is not told otherwise. */
export function nackAll(channels: Channels, original: AnyFunction): AnyFunction {
  return function nackAll(this: Channel, ...args: unknown[]) {
    const settlement = requeues(args[0]) ? 'requeue' : 'nack';
    return settle(channels, this, original, args, new Call('nack', settlement, undefined, true));
  };
}

/** `recover()`: the broker takes back everything that is not settled. */
export function recover(channels: Channels, original: AnyFunction): AnyFunction {
  return function recover(this: Channel, ...args: unknown[]) {
    const result = original.apply(this, args);
    channels.telemetry.guard('note a recovery', undefined, () => {
      const state = channels.find(this);
      state?.unsettled.clear();
      state?.open.settleAll('requeue');
    });
    return result;
  };
}

function settle(channels: Channels, channel: Channel, original: AnyFunction, args: unknown[], call: Call): unknown {
  const { telemetry } = channels;
  const makesSpans = telemetry.config.settleSpans && telemetry.isOn();
  const state = makesSpans ? channels.of(channel) : channels.find(channel);
  if (state === undefined || !(makesSpans || state.awaitsSettlement)) return original.apply(channel, args);
  const operation = makesSpans
    ? telemetry.guard('describe a settlement', undefined, () => startSettle(channels, state, call))
    : undefined;
  let result: unknown;
  if (operation === undefined) result = original.apply(channel, args);
  else {
    result = operation.run(original, channel, ...args);
    operation.end();
  }
  // Only now: a call that throws has settled nothing.
  try {
    apply(state, call);
  } catch (error) {
    telemetry.report('note a settlement', error);
  }
  return result;
}

function startSettle({ telemetry }: Channels, state: ChannelState, { name, message, isUpTo, tag }: Call) {
  const { broker } = state.connection;
  const settled = isUpTo ? upTo(state, tag) : known(state, tag);
  const origin = commonOrigin(settled) ?? (isUpTo ? undefined : statedOrigin(message));
  const plan = telemetry.plan(settleFacts(broker, name, origin, isUpTo));
  const creations = settled.map(({ creation }) => creation);
  const trace = plan.isTrusted ? undefined : NO_TRACE;
  if (isUpTo) return telemetry.startSettle(plan, { count: settled.length, creations, ...trace });
  return telemetry.startSettle(plan, { count: 1, creations, message, reader: settledMessages, ...trace });
}

function known({ unsettled }: ChannelState, tag: number): Unsettled[] {
  const found = unsettled.get(tag);
  return found === undefined ? [] : [found];
}

function upTo({ unsettled }: ChannelState, tag: number): Unsettled[] {
  return unsettled.upTo(tag).map((open) => unsettled.get(open) as Unsettled);
}

function commonOrigin(settled: readonly Unsettled[]): Origin | undefined {
  const [first, ...rest] = settled;
  if (first === undefined) return undefined;
  const { exchange, routingKey, queue } = first.origin;
  const isSame = rest.every(
    ({ origin }) => origin.exchange === exchange && origin.routingKey === routingKey && origin.queue === queue,
  );
  return isSame ? first.origin : undefined;
}

/** What a message says of itself that was delivered unseen. */
function statedOrigin(message: unknown): Origin {
  const { exchange, routingKey } = (message as AmqpMessage | null | undefined)?.fields ?? {};
  return { exchange: textOf(exchange), routingKey: textOf(routingKey), queue: '' };
}

function apply({ open, unsettled, hasPulled }: ChannelState, { settlement, message, isUpTo, tag }: Call): void {
  if (isUpTo) {
    open.settleUpTo(tag, settlement);
    unsettled.takeUpTo(tag, () => {});
  } else {
    open.settle(tag, settlement);
    unsettled.delete(tag);
  }
  // The handling of a pulled message has a span only where the application asked for one, with that message.
  if (hasPulled) deliveryOf(message)?.settle(settlement);
}

/** As amqplib reads it. */
function requeues(requeue: unknown): boolean {
  return requeue === undefined || Boolean(requeue);
}
