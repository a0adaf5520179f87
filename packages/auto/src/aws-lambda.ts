/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { INVALID_SPAN_CONTEXT, type Span, trace } from '@opentelemetry/api';
import type { Instrumentation } from '@opentelemetry/instrumentation';

const AWS_LAMBDA = '@opentelemetry/instrumentation-aws-lambda';
const SQS = '@otel-messaging/instrumentation-sqs';

/** The maker of upstream's one span for all messages of an SQS event. Private there. */
interface AwsLambda {
  _startSqsProcessSpan?(event: unknown): Span;
}

/**
 * `instrumentation` itself, which if it is upstream's for Lambda leaves the messages of SQS events to ours. Its span of the
 * invocation stays, and is the parent of ours.
 */
export function withoutSqsEvents(instrumentation: Instrumentation, ours: readonly Instrumentation[]): Instrumentation {
  const isReplaced = ours.some(({ instrumentationName }) => instrumentationName === SQS);
  if (instrumentation.instrumentationName !== AWS_LAMBDA || !isReplaced) return instrumentation;
  const lambda = instrumentation as AwsLambda;
  if (typeof lambda._startSqsProcessSpan !== 'function') return instrumentation; // of a version that makes none
  lambda._startSqsProcessSpan = () => trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
  return instrumentation;
}
