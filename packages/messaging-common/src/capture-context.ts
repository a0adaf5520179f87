/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { diag } from '@opentelemetry/api';
import { guard } from './errors';
import { contexts, propagation } from './otel';

/**
 * The active context as header fields: a plain object of text, to be kept beside a message that somebody else will send
 * later (an outbox table). Spread into the headers of that message, it makes its consumer continue this trace.
 * Empty without an SDK; never throws.
 */
export function captureContext(): Record<string, string> {
  return guard(diag, 'capture the context', {}, () => {
    const fields: Record<string, string> = {};
    propagation.inject(contexts().active(), fields);
    return fields;
  });
}
