/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context, propagation, type TextMapPropagator, trace } from '@opentelemetry/api';
import { startTracing, type Tracing } from '@otel-messaging/test-utils';
import { captureContext } from '../src';

let tracing: Tracing | undefined;
afterEach(async () => {
  await tracing?.stop();
  tracing = undefined;
});

test('the active span and baggage, as plain text that survives a database', async () => {
  tracing = startTracing([]);
  const baggage = propagation.createBaggage({ tenant: { value: 'a' } });
  await tracing.inSpan('order', () => {
    const span = trace.getActiveSpan()?.spanContext();
    const captured = context.with(propagation.setBaggage(context.active(), baggage), captureContext);
    expect(JSON.parse(JSON.stringify(captured))).toEqual({
      traceparent: `00-${span?.traceId}-${span?.spanId}-01`,
      baggage: 'tenant=a',
    });
  });
});

test('nothing where nothing is active, and without an SDK', () => {
  expect(captureContext()).toEqual({});
  tracing = startTracing([]);
  expect(captureContext()).toEqual({});
});

test('nothing from a propagator that throws half-way', () => {
  const propagator: TextMapPropagator = {
    fields: () => ['traceparent'],
    extract: (given) => given,
    inject(_, carrier, setter) {
      setter.set(carrier, 'traceparent', 'half');
      throw new Error('broken');
    },
  };
  tracing = startTracing([], { propagator });
  expect(captureContext()).toEqual({});
});
