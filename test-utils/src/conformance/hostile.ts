/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { MeterProvider, TextMapPropagator } from '@opentelemetry/api';
import type { Sampler, SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { w3c } from '../tracing';

const boom = (): never => {
  throw new Error('telemetry is broken');
};

/** Well-behaved but for one method, which throws. */
export function throwingPropagator(method: 'inject' | 'extract' | 'fields'): TextMapPropagator {
  const inner = w3c();
  return {
    inject: method === 'inject' ? boom : inner.inject.bind(inner),
    extract: method === 'extract' ? boom : inner.extract.bind(inner),
    fields: method === 'fields' ? boom : inner.fields.bind(inner),
  };
}

export const throwingSampler: Sampler = { shouldSample: boom, toString: () => 'throwing' };

export function throwingProcessor(method: 'onStart' | 'onEnd'): SpanProcessor {
  return {
    onStart: method === 'onStart' ? boom : () => {},
    onEnd: method === 'onEnd' ? boom : () => {},
    forceFlush: async () => {},
    shutdown: async () => {},
  };
}

/** A meter provider whose instruments throw when something is recorded. */
export const throwingMeterProvider = {
  getMeter: () => {
    const instrument = { record: boom, add: boom, addCallback: () => {}, removeCallback: () => {} };
    return new Proxy({}, { get: (_, name) => (String(name).startsWith('create') ? () => instrument : () => {}) });
  },
} as unknown as MeterProvider;
