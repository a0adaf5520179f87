/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { SpanContext } from '@opentelemetry/api';
import { BoundedMap, OpenDeliveries, TagMap, type Telemetry } from '@otel-messaging/messaging-common';
import type { Channel, Connection, ReturnFields } from './amqplib';
import { UnconfirmedSends } from './confirms';
import type { OutgoingMessage } from './message';
import { type Broker, type Origin, sendFacts } from './operations';
import { Plans } from './plans';
import { QueueSource } from './queue-source';
import { peerOf } from './server';

/** `frame_max` is at least this, whatever was agreed on. */
const MIN_FRAME_MAX = 4096;
/** Queues pulled from by one channel, the names of which may be made up at run time. */
const MAX_SOURCES = 100;

/** A delivery that waits for its settlement; kept for settle spans only. */
export interface Unsettled {
  readonly origin: Origin;
  readonly creation: SpanContext | undefined;
}

/** What is known of a connection, shared by its channels. */
export class ConnectionState {
  readonly broker: Broker;
  readonly frameMax: number;
  readonly sends: Plans;

  constructor(telemetry: Telemetry, connection: Connection | undefined, server: Broker['server']) {
    const peer = connection === undefined ? undefined : peerOf(connection);
    this.broker = { server: server ?? peer, peer };
    this.frameMax = Math.max(MIN_FRAME_MAX, Number(connection?.frameMax) || MIN_FRAME_MAX);
    this.sends = new Plans(telemetry, (exchange, routingKey) => sendFacts(this.broker, exchange, routingKey));
  }
}

/** What is open on a channel. Never holds the channel. */
export class ChannelState {
  readonly open = new OpenDeliveries();
  readonly unconfirmed = new UnconfirmedSends();
  readonly unsettled = new TagMap<Unsettled>();
  /** Whether the broker's confirms are seen: only on channels made after amqplib was patched. */
  seesConfirms = false;
  /** What is being published right now, between the call and the moment when its headers are made. */
  outgoing: OutgoingMessage | undefined;
  /** Why the message comes back whose properties are next to come in. */
  returning: ReturnFields | undefined;
  /** Whether messages were pulled from it, whose handling may have been begun by hand. */
  hasPulled = false;
  /** Why it is being closed, where that is an error. */
  closeReason: Error | undefined;
  private isTracked = false;
  private readonly sources = new BoundedMap<string, QueueSource>(MAX_SOURCES);

  constructor(
    private readonly telemetry: Telemetry,
    readonly connection: ConnectionState,
    private readonly live: Set<ChannelState>,
  ) {}

  /** A queue that messages are pulled from. */
  sourceOf(queue: string): QueueSource {
    return (
      this.sources.get(queue) ?? this.sources.add(queue, new QueueSource(this.telemetry, this.connection.broker, queue))
    );
  }

  /** To be called before something is left open on it. */
  keepTrack(): void {
    if (this.isTracked) return;
    this.isTracked = true;
    this.live.add(this);
  }

  /** Whether a settlement could concern anything known here. */
  get awaitsSettlement(): boolean {
    return this.open.size > 0 || this.hasPulled || this.unsettled.size > 0;
  }

  /** Ends what is open: the channel is gone, because of an error or by wish. */
  close(error: Error | undefined): void {
    this.unconfirmed.close(error ?? new UnconfirmedError());
    this.abandon(error);
  }

  /** Ends what is open: nothing more will be seen of it. */
  abandon(error?: Error): void {
    this.isTracked = false;
    this.live.delete(this);
    this.unsettled.clear();
    this.open.close(error);
    this.unconfirmed.close(error);
  }
}

/** Whether the broker took the message is not known, and never will be. */
class UnconfirmedError extends Error {
  override readonly name = 'UnconfirmedError';

  constructor() {
    super('the channel was closed before the broker confirmed the message');
  }
}

/** The state of every channel and connection that this instrumentation has seen, kept by the objects themselves. */
export class Channels {
  private readonly key = Symbol('otel-messaging channel');
  private readonly connections = new WeakMap<Connection, ConnectionState>();
  private readonly live = new Set<ChannelState>();
  /** Whether amqplib's `publish` is patched, so that what a wrapper queues is seen again when it is sent. */
  seesPublishes = false;

  constructor(readonly telemetry: Telemetry) {}

  /** Notes which broker a connection was made to. */
  connected(connection: Connection, server: Broker['server']): void {
    this.connections.set(connection, new ConnectionState(this.telemetry, connection, server));
  }

  find(channel: Channel): ChannelState | undefined {
    return (channel as unknown as Record<symbol, ChannelState | undefined>)[this.key];
  }

  of(channel: Channel): ChannelState {
    return this.find(channel) ?? this.add(channel);
  }

  /** Ends what is open on all channels. */
  abandonAll(): void {
    for (const state of this.live) state.abandon();
  }

  private add(channel: Channel): ChannelState {
    const state = new ChannelState(this.telemetry, this.connectionOf(channel), this.live);
    // Not a WeakMap: this is read for each message. Not enumerable: nobody but us should see it.
    if (Object.isExtensible(channel)) {
      Object.defineProperty(channel, this.key, { value: state, enumerable: false, configurable: true });
    }
    return state;
  }

  private connectionOf({ connection }: Channel): ConnectionState {
    const known = this.connections.get(connection);
    if (known !== undefined) return known;
    const state = new ConnectionState(this.telemetry, connection, undefined);
    if (typeof connection === 'object' && connection !== null) this.connections.set(connection, state);
    return state;
  }
}
