/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes } from '@opentelemetry/api';

/**
 * What `@opentelemetry/instrumentation-aws-sdk` 0.79.0 alone wrote of a queue, a topic and a request; recorded in `dup` mode
 * only. Names are written out here because no messaging convention has them any more.
 */
export function legacyQueueFacts(url: string | undefined): Attributes {
  return { 'url.full': url };
}

export const LEGACY_TOPIC_FACTS: Readonly<Attributes> = { 'messaging.destination_kind': 'topic' };

export function legacyRequestFacts(requestId: string): Attributes {
  return { 'aws.request.id': requestId };
}
