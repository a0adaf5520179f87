/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { BoundedMap, type Server, type Telemetry } from '@otel-messaging/messaging-common';
import type { SqsOptions } from './config';
import { regionOfUrl, serverOfEndpoint, serverOfUrl } from './operations';
import { Queue } from './queue';
import type { SystemNamesField } from './received-attributes';

/** What is read of a client; its configuration gives most values by functions that return promises. */
export interface SqsClientLike {
  readonly config?: { readonly endpoint?: unknown; readonly region?: unknown };
}

/** What is known of one client: its queues, and the endpoint that they are reached at. */
export class ClientState {
  private readonly queues = new BoundedMap<string, Queue>(1000);
  private server: Server | undefined;
  private region: string | undefined;

  constructor(
    client: SqsClientLike,
    private readonly telemetry: Telemetry,
    readonly options: SqsOptions,
    private readonly systemField: SystemNamesField,
  ) {
    // Without an endpoint of its own a client sends to the host in the queue's URL.
    this.learn(client.config?.endpoint, (endpoint) => {
      this.server = serverOfEndpoint(endpoint);
    });
    this.learn(client.config?.region, (region) => {
      this.region = typeof region === 'string' ? region : undefined;
    });
  }

  queue(url: string): Queue {
    const known = this.queues.get(url);
    if (known !== undefined) return known;
    return this.queues.add(url, new Queue(this.telemetry, this.options, this.factsOf(url), this.systemField));
  }

  /** Until the client's own answers are there, the first calls go by the queue's URL, which names the same host. */
  private factsOf(url: string) {
    return { url, server: this.server ?? serverOfUrl(url), region: this.region ?? regionOfUrl(url) };
  }

  private learn(provider: unknown, keep: (value: unknown) => void): void {
    if (typeof provider !== 'function') return;
    const known = new Promise((resolve) => resolve(provider())).then((value) => {
      keep(value);
      this.queues.clear();
    });
    known.catch(() => {
      // The call itself fails in the same way, and tells the application.
    });
  }
}
