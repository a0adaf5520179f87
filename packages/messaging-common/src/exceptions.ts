/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Context, HrTime, Span } from '@opentelemetry/api';
import { type Logger, SeverityNumber } from '@opentelemetry/api-logs';
import type { ResolvedConfig } from './config';
import { withSpan } from './context';
import type { OperationType } from './operation';
import { ATTR_EXCEPTION_MESSAGE, ATTR_EXCEPTION_STACKTRACE, ATTR_EXCEPTION_TYPE } from './semconv';

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
    eventName: `messaging.${type}.exception`,
    severityNumber: type === 'process' ? SeverityNumber.ERROR : SeverityNumber.WARN,
    context: withSpan(context, span),
    attributes: {
      [ATTR_EXCEPTION_TYPE]: error.name,
      [ATTR_EXCEPTION_MESSAGE]: error.message,
      [ATTR_EXCEPTION_STACKTRACE]: error.stack,
    },
  });
}
