/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { types } from 'node:util';
import type { DiagLogger } from '@opentelemetry/api';
import { ERROR_TYPE_VALUE_OTHER } from './semconv';

/**
 * The value of `code`, or `fallback` if it throws; the application never sees the error.
 * @param what completes "could not …".
 */
export function guard<T>(diag: DiagLogger, what: string, fallback: T, code: () => T): T {
  try {
    return code();
  } catch (error) {
    report(diag, what, error);
    return fallback;
  }
}

/** Logs a failure of ours: its name and message, never a payload. A logger that throws is ignored. */
export function report(diag: DiagLogger, what: string, error: unknown): void {
  try {
    diag.error(`could not ${what}`, error instanceof Error ? error.stack : String(error));
  } catch {
    // Nothing is left that could be told.
  }
}

/** Whether the value is an error, of whichever realm: test runners and sandboxes have classes of their own. */
export function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof Error;
}

/**
 * The `error.type` of an error: of low cardinality and predictable.
 * A code of the protocol first (`type` of Kafka's errors, `Code` of AWS's), then the class that says most.
 * Wrappers that say nothing are unwrapped, five deep at most.
 * @see semantic-conventions v1.45.0, docs/general/recording-errors.md
 */
export function errorType(error: unknown): string {
  try {
    return typeOf(error, 5);
  } catch {
    return ERROR_TYPE_VALUE_OTHER; // a hostile getter
  }
}

const AMQP_REPLIES: Readonly<Record<number, string>> = {
  311: 'content-too-large',
  312: 'no-route',
  313: 'no-consumers',
  320: 'connection-forced',
  402: 'invalid-path',
  403: 'access-refused',
  404: 'not-found',
  405: 'resource-locked',
  406: 'precondition-failed',
  501: 'frame-error',
  502: 'syntax-error',
  503: 'command-invalid',
  504: 'channel-error',
  505: 'unexpected-frame',
  506: 'resource-error',
  530: 'not-allowed',
  540: 'not-implemented',
  541: 'internal-error',
};

const SILENT_WRAPPERS = new Set(['KafkaJSNumberOfRetriesExceeded', 'KafkaJSNonRetriableError', 'AggregateError']);

function typeOf(error: unknown, depth: number): string {
  if (typeof error !== 'object' || error === null) return ERROR_TYPE_VALUE_OTHER;
  const { type, Code, code, name, cause, errors } = error as Record<string, unknown>;
  if (isWord(type)) return type;
  if (isWord(Code)) return Code;
  if (typeof code === 'number' && AMQP_REPLIES[code] !== undefined) return AMQP_REPLIES[code];
  if (depth > 0 && isWord(name) && SILENT_WRAPPERS.has(name)) {
    const inner = cause ?? (Array.isArray(errors) ? errors[0] : undefined);
    if (typeof inner === 'object' && inner !== null) return typeOf(inner, depth - 1);
  }
  if (isWord(name) && name !== 'Error') return name;
  if (isWord(code)) return code;
  const className = (error as object).constructor?.name;
  return isWord(className) ? className : ERROR_TYPE_VALUE_OTHER;
}

/** Identifiers only: free text would make the attribute's cardinality the application's. */
function isWord(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 100 && /^[\w.:/-]+$/.test(value);
}
