/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { BatchProcessOperation } from './batch-process-operation';
import { scopeOf } from './context';
import type { MessageReader, OperationFacts } from './operation';
import { contexts } from './otel';
import { ProcessOperation } from './process-operation';

/** What is being handled. */
export interface Handled {
  readonly operation: OperationFacts;
  /** Absent where a handler has a whole batch in hand. */
  readonly message?: unknown;
  // biome-ignore lint/suspicious/noExplicitAny: the reader of that message, whatever its type
  readonly reader?: MessageReader<any>;
}

/** The message, or batch, whose handler the caller runs in; undefined outside of any, and once it is over. */
export function handledHere(): Handled | undefined {
  const scope = scopeOf(contexts().active());
  if (scope === undefined || scope.isOver()) return undefined;
  if (scope instanceof ProcessOperation) {
    return { operation: scope.plan.facts, message: scope.handled, reader: scope.reader };
  }
  return scope instanceof BatchProcessOperation ? { operation: scope.plan.facts } : undefined;
}
