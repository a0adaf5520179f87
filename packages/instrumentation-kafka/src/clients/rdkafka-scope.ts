/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type ClientFacts, serverOf } from '../operations';
import { Scope } from './scope';

/** A class of the old kind, a function: applications extend it, so only its prototype is changed. */
export interface ClientClass {
  readonly prototype: object;
}

/** What is read of producers and consumers. */
export interface RdClient {
  readonly globalConfig?: Readonly<Record<string, unknown>>;
  /** Callbacks that the client was configured with. */
  readonly _cb_configs?: {
    readonly event?: {
      /** Where the application has asked for delivery reports. */
      readonly delivery_cb?: unknown;
      /** Where the API in the manner of kafkajs has made the consumer. */
      readonly queue_non_empty_cb?: unknown;
    };
  };
}

/** What the wrappers of one package share. */
export class RdKafkaScope extends Scope {
  /** Clients that another API works with, which makes the spans. */
  readonly inner = new WeakSet<object>();
  /** Consumers that a stream polls. */
  readonly streaming = new WeakSet<object>();
  private readonly names = new Map<number, string>();

  /** Whether another API works with the client, which then makes the spans. */
  isInner(client: RdClient): boolean {
    return this.inner.has(client) || typeof client._cb_configs?.event?.queue_non_empty_cb === 'function';
  }

  learn(codes: Readonly<Record<string, number>>): void {
    for (const [name, code] of Object.entries(codes)) this.names.set(code, name);
  }

  /** The error with the name of its code as its type: `ERR__MSG_TIMED_OUT` says more than `LibrdKafkaError`. */
  named(error: unknown): unknown {
    try {
      const { code, type } = error as { code: number; type?: unknown };
      const name = type === undefined ? this.names.get(code) : undefined;
      return name === undefined ? error : Object.create(error as object, { type: { value: name } });
    } catch {
      return error; // no object, or one whose getters throw
    }
  }
}

/** What a client's configuration tells; credentials stay where they are. */
export function clientFactsOf({ globalConfig = {} }: RdClient): ClientFacts {
  const brokers = globalConfig['bootstrap.servers'] ?? globalConfig['metadata.broker.list'];
  return {
    clientId: text(globalConfig['client.id']),
    server: typeof brokers === 'string' ? serverOf(brokers.split(',')) : undefined,
    groupId: text(globalConfig['group.id']),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
