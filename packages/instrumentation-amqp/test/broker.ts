/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { randomUUID } from 'node:crypto';

/** The broker that all tests use. */
export function brokerUrl(): string {
  const url = process.env['RABBITMQ_URL'];
  if (url === undefined) {
    throw new Error('RABBITMQ_URL is not set: start a broker with test-utils/bin/brokers.js rabbitmq');
  }
  return url;
}

/** A name that no other test has. */
export function freshName(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`;
}
