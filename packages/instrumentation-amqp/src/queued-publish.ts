/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes } from '@opentelemetry/api';
import { type AnyFunction, type SendOperation, semconv } from '@otel-messaging/messaging-common';
import type { Channel } from './amqplib';
import type { Channels, ConnectionState } from './channels';
import type { OutgoingMessage } from './message';

/**
 * Under which the options of a publish carry it through a queue of the wrapper's: that hands its own copy of them to
 * amqplib, which reads no more than the properties that it knows.
 */
export const QUEUED = Symbol('otel-messaging queued publish');

/** What is known of a wrapper that queues messages. */
export interface WrapperState {
  /** The one that its last message went to; undefined before its first. */
  connection: ConnectionState | undefined;
  /** What is queued from now on is never sent, and never answered. */
  isClosed: boolean;
}

/** One message on its way from the call that queued it to the answer that the application gets: one span, however often it is sent. */
export class QueuedPublish {
  /** Whose attributes the span began with. */
  private readonly connection: ConnectionState | undefined;
  private isElsewhere = false;
  private bodySize: number | undefined;

  /** Set before the message is queued. */
  declare operation: SendOperation<OutgoingMessage>;

  constructor(
    private readonly wrapper: WrapperState,
    private readonly exchange: string,
    private readonly routingKey: string,
  ) {
    this.connection = wrapper.connection;
  }

  /** What a channel is to send; asked again for each attempt, which may be on another connection. */
  handedTo(connection: ConnectionState, content: unknown): OutgoingMessage {
    const { operation } = this;
    if (connection !== this.connection) {
      this.isElsewhere = true;
      this.wrapper.connection = connection;
      operation.plan = connection.sends.for(this.exchange, this.routingKey);
    }
    if (Buffer.isBuffer(content)) this.bodySize = content.length;
    return operation.message.within(connection.frameMax);
  }

  /** @param capturesBodySize of the body as the wrapper has encoded it */
  end(error: unknown, capturesBodySize: boolean): void {
    if (error === undefined && !this.isElsewhere && !capturesBodySize) this.operation.end();
    else this.operation.end({ error, attributes: this.lateAttributes(capturesBodySize) });
  }

  private lateAttributes(capturesBodySize: boolean): Attributes {
    const { attributes, details } = this.operation.plan;
    const late: Attributes = this.isElsewhere ? { ...attributes, ...details } : {};
    if (capturesBodySize && this.bodySize !== undefined) late[semconv.ATTR_MESSAGING_MESSAGE_BODY_SIZE] = this.bodySize;
    return late;
  }
}

/** The publish that a wrapper has queued with these options. */
export function queuedWith(options: unknown): QueuedPublish | undefined {
  return typeof options === 'object' && options !== null
    ? (options as { readonly [QUEUED]?: QueuedPublish })[QUEUED]
    : undefined;
}

/**
 * Calls amqplib for a publish that has its span already. What amqplib refuses is no answer to the application: the wrapper
 * emits an event, and forgets the message. So the span ends here.
 */
export function sendQueued(
  channels: Channels,
  queued: QueuedPublish,
  original: AnyFunction,
  channel: Channel,
  args: unknown[],
): unknown {
  const state = channels.of(channel);
  const outer = state.outgoing;
  try {
    state.outgoing = queued.handedTo(state.connection, args[2]);
  } catch (error) {
    channels.telemetry.report('find what is to travel with a queued message', error);
  }
  try {
    return original.apply(channel, args);
  } catch (error) {
    queued.end(error, channels.telemetry.config.captureBodySize);
    throw error;
  } finally {
    state.outgoing = outer;
  }
}
