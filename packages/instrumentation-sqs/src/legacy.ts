/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes } from '@opentelemetry/api';

/**
 * What `@opentelemetry/instrumentation-aws-sdk` 0.79.0 alone wrote of a queue; recorded in `dup` mode only, and written
 * out here because no messaging convention has these names any more.
 */
export function legacyQueueFacts(url: string | undefined): Attributes {
  return { 'url.full': url };
}

/** The same of every topic. */
export const LEGACY_TOPIC_FACTS: Readonly<Attributes> = { 'messaging.destination_kind': 'topic' };

/** The same of a request. */
export function legacyRequestFacts(requestId: string): Attributes {
  return { 'aws.request.id': requestId };
}
