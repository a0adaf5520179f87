/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type MessageOutcome, type Outcome, semconv } from '@otel-messaging/messaging-common';
import type { LambdaRecord } from './lambda-record';

const SETTLEMENT = semconv.ATTR_MESSAGING_MESSAGE_SETTLEMENT;
const DELETED: MessageOutcome = { attributes: { [SETTLEMENT]: 'delete' } };
const KEPT: MessageOutcome = { attributes: { [SETTLEMENT]: 'retry' } };
/** Not thrown by anybody, and so no Error: there is no stack to record. */
const NAMED_AS_FAILED: MessageOutcome = { ...KEPT, error: { name: 'BatchItemFailure' } };
const FAILED_BATCH: MessageOutcome = { ...KEPT, error: { name: 'BatchItemFailures' } };

/**
 * How it went with a batch whose handler gave this result: Lambda deletes what it does not name in `batchItemFailures`.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export function outcomeOfResult(records: readonly LambdaRecord[], result: unknown): Outcome {
  const { batchItemFailures: failures } = (result ?? {}) as { readonly batchItemFailures?: unknown };
  if (!Array.isArray(failures) || failures.length === 0) return { messages: filled(records, DELETED) };
  const names = failures.map((failure) => (failure as { itemIdentifier?: unknown } | null)?.itemIdentifier);
  // What names no message makes Lambda take all of them for failed.
  if (names.some((name) => typeof name !== 'string' || name === '')) return { messages: filled(records, FAILED_BATCH) };
  const failed = new Set(names);
  const outcomes = filled(records, DELETED);
  for (let i = 0; i < outcomes.length; i++) {
    if (failed.has(records[i]?.messageId)) outcomes[i] = NAMED_AS_FAILED;
  }
  return { messages: outcomes };
}

/** How it went with a batch whose handler failed: all of it comes again. */
export function outcomeOfError(records: readonly LambdaRecord[], error: unknown): Outcome {
  return { error: error ?? { name: 'UnknownError' }, messages: filled(records, KEPT) };
}

// By index, and not by a method of the records' array: those handle messages.
function filled(records: readonly LambdaRecord[], outcome: MessageOutcome): MessageOutcome[] {
  return new Array<MessageOutcome>(records.length).fill(outcome);
}
