/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Destination, OperationFacts } from './operation';
import { SpanKind } from './otel';

/** `{operation} {destination}`, or the operation alone where the destination has no name of low cardinality. */
export function spanName(facts: OperationFacts): string {
  const destination =
    lowCardinalityName(facts.destination) ?? (facts.destination === undefined ? serverName(facts) : undefined);
  return destination === undefined ? facts.name : `${facts.name} ${destination}`;
}

/** A name that may stand in a span name and on a metric; undefined for temporary and server-named destinations. */
export function lowCardinalityName(destination: Destination | undefined): string | undefined {
  if (destination === undefined) return undefined;
  if (destination.template !== undefined) return destination.template;
  return destination.temporary || destination.anonymous ? undefined : destination.name;
}

/**
 * Kind of every operation but `send`, whose kind depends on what was injected.
 * @see semantic-conventions v1.45.0, docs/messaging/messaging-spans.md, "Span kind"
 */
export function spanKind(type: Exclude<OperationFacts['type'], 'send'>): SpanKind {
  switch (type) {
    case 'create':
      return SpanKind.PRODUCER;
    case 'process':
      return SpanKind.CONSUMER;
    case 'receive':
    case 'settle':
      return SpanKind.CLIENT;
  }
}

/** PRODUCER if the span's own context went into a message, else CLIENT. */
export function sendKind(carriesOwnContext: boolean): SpanKind {
  return carriesOwnContext ? SpanKind.PRODUCER : SpanKind.CLIENT;
}

function serverName({ server }: OperationFacts): string | undefined {
  if (server?.address === undefined) return undefined;
  return server.port === undefined ? server.address : `${server.address}:${server.port}`;
}
