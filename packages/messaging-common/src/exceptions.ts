/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Context, HrTime, Span } from '@opentelemetry/api';
import { type Logger, SeverityNumber } from '@opentelemetry/api-logs';
import type { ResolvedConfig } from './config';
import { withSpan } from './context';
import type { OperationType } from './operation';
import * as semconv from './semconv';

const EVENTS: Readonly<Record<OperationType, string>> = {
  create: semconv.EVENT_MESSAGING_CREATE_EXCEPTION,
  send: semconv.EVENT_MESSAGING_SEND_EXCEPTION,
  receive: semconv.EVENT_MESSAGING_RECEIVE_EXCEPTION,
  process: semconv.EVENT_MESSAGING_PROCESS_EXCEPTION,
  settle: semconv.EVENT_MESSAGING_SETTLE_EXCEPTION,
};

/**
 * Records an exception where the configuration asks for it: as an event of the span, as a log record, or both.
 * @see semantic-conventions v1.45.0, docs/messaging/messaging-exceptions.md
 */
export function recordException(
  signal: ResolvedConfig['exceptionSignal'],
  logger: () => Logger,
  span: Span,
  context: Context,
  type: OperationType,
  error: Error,
  time: HrTime | undefined,
): void {
  if (signal !== 'log') span.recordException(error, time);
  if (signal === 'span-event') return;
  logger().emit({
    eventName: EVENTS[type],
    severityNumber: type === 'process' ? SeverityNumber.ERROR : SeverityNumber.WARN,
    context: withSpan(context, span),
    attributes: {
      [semconv.ATTR_EXCEPTION_TYPE]: error.name,
      [semconv.ATTR_EXCEPTION_MESSAGE]: error.message,
      [semconv.ATTR_EXCEPTION_STACKTRACE]: error.stack,
    },
  });
}
