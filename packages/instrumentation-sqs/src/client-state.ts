/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { BoundedMap, type Server } from '@otel-messaging/messaging-common';
import { serverOfEndpoint, serverOfUrl } from './operations';

/** What is read of a client; its configuration gives most values by functions that return promises. */
export interface AwsClientLike {
  readonly config?: {
    readonly serviceId?: unknown;
    readonly endpoint?: unknown;
    readonly isCustomEndpoint?: unknown;
    readonly region?: unknown;
    readonly useFipsEndpoint?: unknown;
    readonly useDualstackEndpoint?: unknown;
    /** The endpoint that the environment or a profile names; remembered there. */
    readonly serviceConfiguredEndpoint?: unknown;
    readonly ignoreConfiguredEndpointUrls?: unknown;
    /** The rules that make an endpoint of those, where none was given. */
    readonly endpointProvider?: unknown;
    readonly useQueueUrlAsEndpoint?: unknown;
  };
}

/** What a client has told of itself so far. */
export interface ClientFacts {
  /** The endpoint that it was given, if any. */
  readonly server?: Server;
  /** Where it was given none: the endpoint that it finds by its environment, its profile, or the rules for its region. */
  readonly found?: Server;
  readonly region?: string;
}

/** What is known of one client: the places that its calls go to, and the endpoint that they are reached at. */
export class ClientState<Place> {
  private readonly places = new BoundedMap<string, Place>(1000);
  private facts: ClientFacts = {};

  /** @param options for as long as these are in force, the state is valid */
  constructor(
    { config = {} }: AwsClientLike,
    readonly options: object,
    private readonly make: (key: string, facts: ClientFacts) => Place,
  ) {
    // These may be functions of the application: each is called once.
    const region = answerOf(config.region);
    this.learn(region, (region) => (typeof region === 'string' ? { region } : {}));
    if (typeof config.endpoint === 'function' && config.isCustomEndpoint !== false) {
      this.learn(answerOf(config.endpoint), (endpoint) => ({ server: serverOfEndpoint(endpoint) }));
    } else this.learn(foundServer(config, region), (found) => ({ found }));
  }

  /** @param key URL of a queue, ARN of a topic */
  place(key: string): Place {
    return this.places.get(key) ?? this.places.add(key, this.make(key, this.facts));
  }

  private learn<T>(answer: Promise<T>, read: (value: T) => ClientFacts): void {
    const known = answer.then((value) => {
      this.facts = { ...this.facts, ...read(value) };
      this.places.clear();
    });
    known.catch(() => {
      // The call itself fails in the same way, and tells the application.
    });
  }
}

/** In the way of the client itself, which does not keep what it finds. */
async function foundServer(
  config: NonNullable<AwsClientLike['config']>,
  region: Promise<unknown>,
): Promise<Server | undefined> {
  const { serviceConfiguredEndpoint, ignoreConfiguredEndpointUrls, endpointProvider } = config;
  const url = ignoreConfiguredEndpointUrls === true ? undefined : await answerOf(serviceConfiguredEndpoint);
  if (typeof url === 'string') return serverOfUrl(url);
  if (typeof endpointProvider !== 'function') return undefined;
  const isFips = await answerOf(config.useFipsEndpoint);
  const isDualStack = await answerOf(config.useDualstackEndpoint);
  const parameters = { Region: await region, UseFIPS: isFips === true, UseDualStack: isDualStack === true };
  return parameters.Region === undefined ? undefined : serverOfEndpoint(endpointProvider(parameters));
}

/** What a function of the configuration answers; undefined if it is none. */
async function answerOf(provider: unknown): Promise<unknown> {
  return typeof provider === 'function' ? provider() : undefined;
}
