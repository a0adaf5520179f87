/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { BoundedMap, type Server } from '@otel-messaging/messaging-common';
import { serverOfEndpoint } from './operations';

/** What is read of a client; its configuration gives most values by functions that return promises. */
export interface AwsClientLike {
  readonly config?: {
    readonly serviceId?: unknown;
    readonly endpoint?: unknown;
    readonly region?: unknown;
    readonly useFipsEndpoint?: unknown;
    readonly useDualstackEndpoint?: unknown;
    /** The rules that make an endpoint of those, where none was given. */
    readonly endpointProvider?: unknown;
  };
}

/** What a client has told of itself so far. */
export interface ClientFacts {
  /** The endpoint that it was given, if any. */
  readonly server?: Server;
  readonly region?: string;
  readonly isFips?: boolean;
  readonly isDualStack?: boolean;
}

/** What is known of one client: the places that its calls go to, and the endpoint that they are reached at. */
export class ClientState<Place> {
  private readonly places = new BoundedMap<string, Place>(1000);
  private facts: ClientFacts = {};

  /** @param options for as long as these are in force, the state is valid */
  constructor(
    { config }: AwsClientLike,
    readonly options: object,
    private readonly make: (key: string, facts: ClientFacts) => Place,
  ) {
    this.learn(config?.endpoint, (endpoint) => ({ server: serverOfEndpoint(endpoint) }));
    this.learn(config?.region, (region) => (typeof region === 'string' ? { region } : {}));
    this.learn(config?.useFipsEndpoint, (isFips) => ({ isFips: isFips === true }));
    this.learn(config?.useDualstackEndpoint, (isDualStack) => ({ isDualStack: isDualStack === true }));
  }

  /** @param key URL of a queue, ARN of a topic */
  place(key: string): Place {
    return this.places.get(key) ?? this.places.add(key, this.make(key, this.facts));
  }

  private learn(provider: unknown, read: (value: unknown) => ClientFacts): void {
    if (typeof provider !== 'function') return;
    const known = new Promise((resolve) => resolve(provider())).then((value) => {
      this.facts = { ...this.facts, ...read(value) };
      this.places.clear();
    });
    known.catch(() => {
      // The call itself fails in the same way, and tells the application.
    });
  }
}
