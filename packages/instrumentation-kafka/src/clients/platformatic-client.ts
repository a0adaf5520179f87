/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { ClusterId } from '../cluster-id';
import type { ClientFacts } from '../operations';
import type { HeaderForm } from './platformatic-message';

/** What producers and consumers of @platformatic/kafka show of themselves. */
export interface PltClient {
  readonly clientId?: unknown;
  readonly groupId?: unknown;
  /** Undefined before the first list of brokers, and after the application has cleared it. */
  readonly currentMetadata?: { readonly id?: unknown };
}

/** What a client tells of itself; its configuration and its brokers are under symbols that the package keeps to itself. */
export function clientFactsOf(client: PltClient): ClientFacts {
  const brokers = own(client, 'plt.kafka.base.bootstrapBrokers');
  const [broker] = Array.isArray(brokers) && brokers.length === 1 ? brokers : [];
  return {
    clientId: text(client.clientId),
    groupId: text(client.groupId),
    server: broker && { address: text(broker.host), port: Number(broker.port) },
    clusterId: new ClusterId(() => client.currentMetadata?.id),
  };
}

/** Without serializers a producer takes bytes. */
export function headerFormOf(producer: PltClient): HeaderForm {
  const { serializers, registry } = (own(producer, 'plt.kafka.base.options') ?? {}) as {
    serializers?: { headerKey?: unknown; headerValue?: unknown };
    registry?: { getSerializers?(): typeof serializers };
  };
  const used = registry?.getSerializers?.() ?? serializers;
  return { namesAreBytes: used?.headerKey === undefined, valuesAreBytes: used?.headerValue === undefined };
}

function own(client: object, description: string): unknown {
  const symbol = Object.getOwnPropertySymbols(client).find((one) => one.description === description);
  return symbol && (client as Record<symbol, unknown>)[symbol];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
