/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Context, Span, SpanContext } from '@opentelemetry/api';
import { scopeOf } from './context';
import { report } from './errors';
import type { MessageWriter } from './operation';
import type { Telemetry } from './telemetry';

/** The context that an outgoing message has before we look at it. */
export interface Existing {
  /** The application's own: kept, and linked. */
  readonly custom?: SpanContext;
  /** The message has the headers of the very message being processed: its baggage is stale, as its context is, and replaced. */
  readonly isForwarded: boolean;
}

/** Also for what is forwarded where several messages are processed: its baggage is in no context, and stays. */
const NONE: Existing = { isForwarded: false };
const FORWARDED: Existing = { isForwarded: true };

/**
 * Tells a context that the application chose (an outbox, a relay) from one that merely came along with forwarded headers.
 * Without the difference, in A → B → C the second hop would continue the first instead of B.
 */
export function existingContext<M>(
  telemetry: Telemetry,
  ambient: Context,
  message: M,
  writer: MessageWriter<M>,
): Existing {
  const custom = telemetry.extract(message, writer).creation;
  if (custom === undefined) return NONE;
  const scope = scopeOf(ambient);
  if (scope?.isCreationContext(custom) !== true) return { custom, isForwarded: false };
  return scope.hasBaggage ? FORWARDED : NONE;
}

/** A copy of the message with the span's context; the message itself if it could not be written. */
export function writeContext<M>(
  { signals, diag }: Telemetry,
  message: M,
  writer: MessageWriter<M>,
  context: Context,
  span: Span,
  existing: Existing,
): M {
  const spanContext = span.spanContext();
  if (signals.carrier === undefined) return message;
  try {
    const outgoing = signals.carrier.inject(context, spanContext, existing.isForwarded);
    const copy = writer.write(message, outgoing);
    if (copy === undefined) diag.warn('could not write a context into a message: no room');
    return copy ?? message;
  } catch (error) {
    report(diag, 'write a context into a message', error);
    return message;
  }
}
