/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { context, metrics, propagation, trace, ROOT_CONTEXT } = require('@opentelemetry/api');
const { AsyncLocalStorageContextManager } = require('@opentelemetry/context-async-hooks');
const { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } = require('@opentelemetry/core');
const { MeterProvider, MetricReader } = require('@opentelemetry/sdk-metrics');
const {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BasicTracerProvider,
  ParentBasedSampler,
} = require('@opentelemetry/sdk-trace-base');

/** Counts ended spans, and keeps them only while a verification asks for it: an exporter's cost is not ours to measure. */
class CountingProcessor {
  ended = 0;
  kept = undefined;
  onStart() {}
  onEnd(span) {
    this.ended += 1;
    if (this.kept !== undefined) this.kept.push(span);
  }
  async forceFlush() {}
  async shutdown() {}
}

/** Collects when it is asked, never by a timer. */
class ManualReader extends MetricReader {
  async onForceFlush() {}
  async onShutdown() {}
}

/**
 * The SDK of one mode, registered the way an application does it: before any instrumentation.
 * `ambient` is the context in which an application's own sends happen (an HTTP request's span, say).
 */
function registerSdk(mode) {
  if (mode === 'no-sdk') return { sampled: false, ambient: ROOT_CONTEXT };
  const sampled = mode !== 'off';
  const processor = new CountingProcessor();
  const provider = new BasicTracerProvider({
    sampler: new ParentBasedSampler({ root: sampled ? new AlwaysOnSampler() : new AlwaysOffSampler() }),
    spanProcessors: [processor],
  });
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(
    new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
  );
  const reader = mode === 'metrics' ? registerMetrics() : undefined;
  const request = provider.getTracer('application').startSpan('request', undefined, ROOT_CONTEXT);
  return { sampled, processor, reader, ambient: trace.setSpan(ROOT_CONTEXT, request) };
}

function registerMetrics() {
  const reader = new ManualReader();
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  return reader;
}

module.exports = { registerSdk };
