/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { InstrumentationBase } from '@opentelemetry/instrumentation';

/**
 * A client, its instrumentation and a real broker, as the conformance suite needs them. The suite compares the client
 * with its instrumentation switched on and off, so nothing in a rig may depend on which of the two it is.
 */
export interface Rig {
  readonly name: string;
  /** Applied to the client's modules already. */
  readonly instrumentation: InstrumentationBase;
  /** The functions that the instrumentation patches, as they were before it did. */
  readonly doors: readonly Door[];
  /** What this client has not, with the reason, which is printed. */
  readonly cannot?: Readonly<Partial<Record<Capability, string>>>;
  /** A connected client with an empty destination of its own. */
  connect(): Promise<RigClient>;
}

export type Capability = 'batch' | 'rejected sends' | 'a limit on headers';

export interface Door {
  readonly holder: object;
  readonly name: PropertyKey;
  readonly original: unknown;
}

export interface RigMessage {
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Inputs and messages are the client's own; the suite freezes inputs and hands messages back. */
// biome-ignore lint/suspicious/noExplicitAny: each client has its own types of input and message
export interface RigClient<Input = any, Message = any> {
  /** The arguments of one send, as an application would write them; plain data. */
  input(message: RigMessage): Input;
  /** The client's own call, and what it gives: a promise or not. */
  send(input: Input): unknown;
  batchInput?(messages: readonly RigMessage[]): Input;
  sendBatch?(input: Input): unknown;
  /** Resolves once the broker has everything that was sent. */
  flush(): Promise<void>;
  /**
   * Hands the next messages to the handler, one after the other, as an application of this client would, and settles each
   * after its handler. A handler that fails is taken as the application would take it: no endless redelivery.
   */
  consume(count: number, handler: (message: Message) => unknown): Promise<void>;
  body(message: Message): string;
  headers(message: Message): Readonly<Record<string, string>>;
  /** Input that sends a received message on, with its headers, as a relay would write it. */
  forward(message: Message): Input;
  /** Calls that the client refuses; each may be made several times. */
  readonly malformed: Readonly<Record<string, () => unknown>>;
  /** A message with no room left for more headers, that the broker accepts. */
  full?(): Input;
  close(): Promise<void>;
}
