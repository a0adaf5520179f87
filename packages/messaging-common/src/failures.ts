/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { errorType } from './errors';
import type { Outcome } from './operation';
import { ERROR_TYPE_VALUE_OTHER } from './semconv';

/** The errors of single messages of a batch that its answer names. */
export function failuresOf(outcome: Outcome | undefined): unknown[] {
  const failures: unknown[] = [];
  for (const message of outcome?.messages ?? []) if (message?.error !== undefined) failures.push(message.error);
  return failures;
}

/** The error all entries of a failed batch share, or one that says that they differ. */
export function commonError(failures: readonly unknown[]): unknown {
  const types = new Set(failures.map(errorType));
  if (types.size === 1) return failures[0];
  return Object.assign(new Error('all messages of the batch failed'), { name: ERROR_TYPE_VALUE_OTHER });
}
