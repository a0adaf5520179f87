/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes, SpanContext } from '@opentelemetry/api';

/** The five operation types of the messaging conventions (semantic-conventions v1.45.0). */
export type OperationType = 'create' | 'send' | 'receive' | 'process' | 'settle';

/** A queue, topic or exchange, as far as it is known. */
export interface Destination {
  readonly name?: string;
  /** A low-cardinality form of the name; it then drives span names and metrics. */
  readonly template?: string;
  /** Deleted when its owner leaves: kept out of span names and metrics. */
  readonly temporary?: boolean;
  /** Named by the server: kept out of span names and metrics. */
  readonly anonymous?: boolean;
  readonly partitionId?: string;
}

/** The broker. */
export interface Server {
  readonly address?: string;
  readonly port?: number;
}

/** What is about to happen, as plain data. Shared by many calls: nothing in it belongs to one message. */
export interface OperationFacts {
  readonly type: OperationType;
  /** The system's own word for it: `publish`, `poll`, `delete`. */
  readonly name: string;
  /** `messaging.system.name`: `kafka`, `rabbitmq`, `aws.sqs`, `aws.sns`. */
  readonly system: string;
  readonly destination?: Destination;
  readonly server?: Server;
  readonly consumerGroup?: string;
  /** The call takes or gives a list, so that its span says how many messages there were, even for one. */
  readonly isBatch?: boolean;
  /** More span attributes; never on metrics. */
  readonly attributes?: Attributes;
  /** Attributes under names that older conventions used; recorded in `dup` mode only. */
  readonly legacyAttributes?: Attributes;
}

/**
 * Span attributes that a client learns while it works, from an answer that it asks for by itself; undefined until it has.
 * Asked when an operation ends, so that the one which taught it has them too. Must not throw.
 */
export type Learned = () => Attributes | undefined;

/** What is known of one message, as plain data. */
export interface MessageFacts {
  readonly id?: string;
  readonly conversationId?: string;
  /** Bytes, uncompressed. */
  readonly bodySize?: number;
  /** Deliveries of this message before this one; 0 or absent for the first. */
  readonly retryCount?: number;
  readonly attributes?: Attributes;
  readonly legacyAttributes?: Attributes;
}

/** Reads one system's messages. All methods are pure; a throw is caught and means "nothing known". */
export interface MessageReader<M> {
  /**
   * The text of a header, whatever bytes it came as; the last valid one where there are several.
   * Letter case of `field` does not matter.
   */
  get(message: M, field: string): string | undefined;
  /** Names of all headers. */
  keys(message: M): string[];
  /** Whether the message has this one header and nothing else to look for; without the method all fields are asked for. */
  hasOnly?(message: M, field: string): boolean;
  /** Called only for spans and links that are recorded. */
  describe(message: M): MessageFacts;
  /** When the message was sent: milliseconds since the epoch, by the broker's or the producer's clock. */
  sentAtMs?(message: M): number | undefined;
  /** A creation context that travels outside of the propagator's fields, asked for only if those say nothing. */
  otherContext?(message: M): RemoteContext | undefined;
}

/** A creation context found in a message. */
export interface RemoteContext {
  readonly spanContext: SpanContext;
  /** Link to it, but start a new trace. */
  readonly linkOnly?: boolean;
}

/** What is to travel with a message. */
export interface OutgoingContext {
  /** Header name → text, as the propagator wrote them. */
  readonly fields: Readonly<Record<string, string>>;
  /** Headers to remove first, in any letter case: what the propagator owns and is stale now. */
  readonly stale: readonly string[];
  readonly spanContext: SpanContext;
}

/** Reads and writes one system's messages. */
export interface MessageWriter<M> extends MessageReader<M> {
  /**
   * A copy of the message that carries the context, or undefined if it has no room.
   * The message itself stays as it is, down to its headers.
   */
  write(message: M, outgoing: OutgoingContext): M | undefined;
  /** Whether `write` will find room. Default: yes. Asked before the span starts, since its kind depends on it. */
  canCarry?(message: M): boolean;
  /** Whether a batch's answer speaks of single messages, so that links to them wait for it. Default: no. */
  readonly answersPerMessage?: boolean;
}

/** How a call ended, as plain data. */
export interface Outcome {
  readonly error?: unknown;
  /** Attributes of the span, known only now: request id, message id, offset. */
  readonly attributes?: Attributes;
  /** Batches: what the answer says of the n-th message, sparse. */
  readonly messages?: readonly (MessageOutcome | undefined)[];
}

/** What the answer to a batch says of one of its messages. */
export interface MessageOutcome {
  readonly error?: unknown;
  readonly attributes?: Attributes;
}

/** What the application told the broker of a message. */
export type Settlement = 'ack' | 'nack' | 'reject' | 'requeue' | 'delete' | 'retry';
