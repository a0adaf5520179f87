/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { isSpanContextValid, type Span } from '@opentelemetry/api';
import type { Instrumentation } from '@opentelemetry/instrumentation';

import { withoutSqsEvents } from '../src/aws-lambda';

// The real one is tried by `npm run test:versions -- aws-lambda-ric`; it is no dependency of this repository.
const span = {} as Span;
const named = (instrumentationName: string) => ({ instrumentationName, _startSqsProcessSpan: () => span });
const asInstrumentation = (value: object) => value as unknown as Instrumentation;

const SQS = asInstrumentation({ instrumentationName: '@otel-messaging/instrumentation-sqs' });
const LAMBDA = '@opentelemetry/instrumentation-aws-lambda';

test('upstream’s span for the messages of an event is none that records, where ours makes them', () => {
  const lambda = named(LAMBDA);
  expect(withoutSqsEvents(asInstrumentation(lambda), [SQS])).toBe(lambda);
  expect(isSpanContextValid(lambda._startSqsProcessSpan().spanContext())).toBe(false);
});

test.each([
  ['ours is not there', named(LAMBDA), []],
  ['it is another instrumentation', named('@opentelemetry/instrumentation-http'), [SQS]],
])('nothing is changed if %s', (_, instrumentation, ours) => {
  withoutSqsEvents(asInstrumentation(instrumentation), ours);
  expect(instrumentation._startSqsProcessSpan()).toBe(span);
});

test('nothing is added to a version that makes no such span', () => {
  const lambda = { instrumentationName: LAMBDA };
  withoutSqsEvents(asInstrumentation(lambda), [SQS]);
  expect(lambda).toEqual({ instrumentationName: LAMBDA });
});
