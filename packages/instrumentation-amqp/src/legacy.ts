/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes } from '@opentelemetry/api';

/**
 * What `@opentelemetry/instrumentation-amqplib` 0.71.0 alone wrote (conventions v1.7.0); recorded in `dup` mode only, and
 * written out here because no convention has these names any more.
 */
export function legacyFacts(exchange: string, routingKey: string): Attributes {
  return {
    'messaging.destination': exchange,
    'messaging.destination_kind': 'topic',
    'messaging.rabbitmq.routing_key': routingKey,
    'messaging.protocol': 'AMQP',
    'messaging.protocol_version': '0.9.1',
  };
}
