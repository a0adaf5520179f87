/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { ActiveOperation, AnyFunction, Telemetry } from '@otel-messaging/messaging-common';
import type { Channel, MessageFrame } from './amqplib';
import type { ChannelState, Channels } from './channels';
import { DeliveredMessages, type OutgoingMessage, outgoingMessages } from './message';
import { textOf } from './queue-source';

/** Class and method of `basic.return`, and class of the properties of any message, as AMQP 0-9-1 numbers them. */
const BASIC_RETURN = (60 << 16) | 50;
const BASIC_PROPERTIES = 60;

const returnedMessages = new DeliveredMessages('');

/**
 * Sends with `mandatory` on one confirm channel that the broker has not answered, by a mark that a returned message has
 * too: a return has no delivery tag.
 */
export class MandatorySends {
  private readonly tags = new Map<string, Set<number>>();
  private readonly marks = new Map<number, string>();

  add(tag: number, mark: string): void {
    const tags = this.tags.get(mark);
    if (tags === undefined) this.tags.set(mark, new Set([tag]));
    else tags.add(tag);
    this.marks.set(tag, mark);
  }

  /** The oldest of those that look like this: the broker answers in order. */
  oldest(mark: string): number | undefined {
    return this.tags.get(mark)?.values().next().value;
  }

  forget(tag: number): void {
    const mark = this.marks.get(tag);
    if (mark === undefined) return;
    this.marks.delete(tag);
    const tags = this.tags.get(mark);
    tags?.delete(tag);
    if (tags?.size === 0) this.tags.delete(mark);
  }

  get size(): number {
    return this.marks.size;
  }
}

/** What a message that may come back is recognised by: its context and where it was sent. */
export function markOf(telemetry: Telemetry, message: OutgoingMessage, spanId: string | undefined, to: string): string {
  const carried = message.isCarrying ? spanId : telemetry.extract(message, outgoingMessages).creation?.spanId;
  return `${carried ?? ''} ${to}`;
}

/** Exchange and routing key as one text. */
export function addressOf(exchange: unknown, routingKey: unknown): string {
  return `${textOf(exchange)}\n${textOf(routingKey)}`;
}

/**
 * `channel.acceptMessageFrame`, which gets the parts of every message that comes in. A returned one begins with the
 * reason; its properties, with the context that it left with, are the next part. Nothing else comes between the two.
 */
export function acceptMessageFrame(channels: Channels, original: AnyFunction): AnyFunction {
  return function acceptMessageFrame(this: Channel, frame: MessageFrame) {
    if (frame.id === BASIC_RETURN) {
      channels.telemetry.guard('note a returned message', undefined, () => {
        if (channels.telemetry.isOn()) channels.of(this).returning = frame.fields ?? {};
      });
    } else if (frame.id === BASIC_PROPERTIES) {
      const state = channels.find(this);
      if (state?.returning !== undefined) {
        channels.telemetry.guard('end a returned send', undefined, () => noteReturn(channels.telemetry, state, frame));
      }
    }
    return original.call(this, frame);
  };
}

function noteReturn(telemetry: Telemetry, state: ChannelState, { fields: properties }: MessageFrame): void {
  const { exchange, routingKey, replyCode, replyText } = state.returning ?? {};
  state.returning = undefined;
  const error = new ReturnedError(textOf(replyText), Number(replyCode));
  telemetry.countReturned(state.connection.sends.for(textOf(exchange), textOf(routingKey)), error);
  if (!state.unconfirmed.awaitsReturns) return;
  const { creation } = telemetry.extract({ properties }, returnedMessages);
  state.unconfirmed.returned(`${creation?.spanId ?? ''} ${addressOf(exchange, routingKey)}`, error);
}

/** A send that hears of its return alone: of a confirm, a refusal or a closed channel somebody else makes what is right. */
export class ReturnsOnly {
  constructor(private readonly operation: ActiveOperation) {}

  end(): void {}

  fail(error: unknown): void {
    if (error instanceof ReturnedError) this.operation.fail(error);
  }
}

/** No queue wanted a message. */
class ReturnedError extends Error {
  override readonly name = 'ReturnedError';

  /** @param code becomes `error.type` */
  constructor(
    reason: string,
    readonly code: number,
  ) {
    super(`the broker returned the message: ${reason}`);
  }
}
