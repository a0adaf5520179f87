/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

/**
 * The parts of amqplib that are used here; the same from 0.8 to 2.x, in the promise and the callback API.
 * Described here because amqplib's own types know only its public half.
 */
export interface Channel {
  readonly connection: Connection;
  /** Tag of the oldest message that the broker has not confirmed. */
  readonly lwm: number;
  /** One slot for each message from `lwm` on. */
  readonly unconfirmed: readonly unknown[];
}

export interface Connection {
  /** Bytes; what was agreed with the broker. */
  readonly frameMax?: number;
  /** A socket, except where the application brought a stream of its own. */
  readonly stream?: { readonly remoteAddress?: unknown; readonly remotePort?: unknown };
}

/** What `lib/channel.js`, `lib/channel_model.js` and `lib/callback_model.js` export, as far as it is patched. */
export interface ChannelModule {
  readonly Channel: { readonly prototype: object };
  readonly ConfirmChannel: { readonly prototype: object; new (): object };
  /** The connection of the callback API. */
  readonly CallbackModel?: { readonly prototype: object };
}

export interface ConnectModule {
  connect(url: unknown, socketOptions: unknown, openCallback: OpenCallback): unknown;
}

export type OpenCallback = (error: unknown, connection?: Connection) => unknown;

/** A message as amqplib delivers it; every value comes from the wire. */
export interface AmqpMessage {
  readonly content?: unknown;
  readonly fields?: {
    readonly deliveryTag?: unknown;
    readonly redelivered?: unknown;
    readonly exchange?: unknown;
    readonly routingKey?: unknown;
  };
  readonly properties?: AmqpProperties;
}

/** Properties of a received message, or options of a publish: whatever the application or the wire put there. */
export interface AmqpProperties {
  readonly headers?: unknown;
  readonly messageId?: unknown;
  readonly correlationId?: unknown;
  readonly timestamp?: unknown;
  readonly [option: string]: unknown;
}

/** A confirm or a settlement, as it is on the wire. */
export interface TagFrame {
  readonly deliveryTag: number;
  readonly multiple?: boolean;
}

/** One part of a message that comes in: method, properties or a piece of its content. */
export interface MessageFrame {
  /** Absent for content. */
  readonly id?: number;
  readonly fields?: AmqpProperties & ReturnFields;
}

/** Why a message comes back. */
export interface ReturnFields {
  readonly replyCode?: unknown;
  readonly replyText?: unknown;
  readonly exchange?: unknown;
  readonly routingKey?: unknown;
}
