/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  type Context,
  context,
  metrics as metricsApi,
  propagation,
  ROOT_CONTEXT,
  type TextMapPropagator,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import type { InstrumentationBase } from '@opentelemetry/instrumentation';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  type ReadableSpan,
  type Sampler,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base';

import { metricProblems, spanProblems } from './contract';

export interface TracingOptions {
  readonly sampler?: Sampler;
  readonly propagator?: TextMapPropagator;
  readonly processors?: readonly SpanProcessor[];
  /** Default: true. */
  readonly metrics?: boolean;
  /** Whether all that was recorded is held against the contract when tracing stops. Default: true. */
  readonly contract?: boolean;
}

/** The real SDK, registered globally, with everything kept in memory. */
export class Tracing {
  private started = 0;
  private ended: ReadableSpan[] = [];
  private readonly problems = new Set<string>();
  private readonly checksContract: boolean;
  private readonly metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  private readonly reader = new PeriodicExportingMetricReader({
    exporter: this.metricExporter,
    exportIntervalMillis: 3_600_000,
  });
  private readonly provider: BasicTracerProvider;
  private readonly meterProvider: MeterProvider | undefined;

  constructor(instrumentations: readonly InstrumentationBase[], options: TracingOptions = {}) {
    this.checksContract = options.contract !== false;
    const own: SpanProcessor = {
      // Empty, as with every exporter: what looks at spans that start gets them in another way.
      onStart() {},
      onEnd: (span) => {
        this.ended.push(span);
        if (!isOurs(span.instrumentationScope.name)) return;
        for (const problem of spanProblems(span)) this.problems.add(problem);
      },
      forceFlush: async () => {},
      shutdown: async () => {},
    };
    this.provider = new BasicTracerProvider({
      sampler: options.sampler ?? new AlwaysOnSampler(),
      spanProcessors: [own, ...(options.processors ?? [])],
    });
    this.countStarts(this.provider);
    unregister();
    trace.setGlobalTracerProvider(this.provider);
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    propagation.setGlobalPropagator(options.propagator ?? w3c());
    if (options.metrics !== false) {
      this.meterProvider = new MeterProvider({ readers: [this.reader] });
      metricsApi.setGlobalMeterProvider(this.meterProvider);
    }
    for (const instrumentation of instrumentations) {
      instrumentation.setTracerProvider(trace.getTracerProvider());
      instrumentation.setMeterProvider(metricsApi.getMeterProvider());
    }
  }

  private countStarts(provider: BasicTracerProvider): void {
    const counted = new WeakSet<Tracer>();
    const getTracer = provider.getTracer.bind(provider);
    provider.getTracer = (...args) => {
      const tracer = getTracer(...args);
      if (counted.has(tracer)) return tracer;
      counted.add(tracer);
      const startSpan = tracer.startSpan.bind(tracer);
      tracer.startSpan = (...spanArgs) => {
        const span = startSpan(...spanArgs);
        if (span.isRecording()) this.started++;
        return span;
      };
      return tracer;
    };
  }

  /** Finished spans, oldest start first. */
  spans(): ReadableSpan[] {
    return [...this.ended].sort((a, b) => a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1]);
  }

  /** Spans that were started and have not ended. */
  get openSpans(): number {
    return this.started - this.ended.length;
  }

  /** All metrics of ours so far. */
  async metrics(): Promise<MetricData[]> {
    this.metricExporter.reset();
    await this.reader.forceFlush();
    return this.metricExporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics)
      .filter(({ scope }) => isOurs(scope.name))
      .flatMap(({ metrics }) => metrics);
  }

  /** Forgets finished spans; metrics go on. */
  reset(): void {
    this.started -= this.ended.length;
    this.ended = [];
  }

  /** Runs code inside a span of the application's, which ends when the code's promise settles. */
  async inSpan<T>(name: string, code: () => T | Promise<T>, base: Context = context.active()): Promise<T> {
    const span = trace.getTracer('application').startSpan(name, {}, base);
    try {
      return await context.with(trace.setSpan(base, span), code);
    } finally {
      span.end();
    }
  }

  /** Shuts the SDK down; rejects if anything that was recorded is not as the contract says. */
  async stop(): Promise<void> {
    if (this.meterProvider !== undefined) {
      for (const metric of await this.metrics())
        for (const problem of metricProblems(metric)) this.problems.add(problem);
    }
    await this.provider.shutdown();
    await this.meterProvider?.shutdown().catch(() => {});
    unregister();
    if (this.checksContract && this.problems.size > 0) {
      throw new Error(`not as the conventions say:\n${[...this.problems].join('\n')}`);
    }
  }
}

function isOurs(scope: string): boolean {
  return scope.startsWith('@otel-messaging/');
}

/** Registers the SDK; call `stop()` when done. */
export function startTracing(instrumentations: readonly InstrumentationBase[], options?: TracingOptions): Tracing {
  return new Tracing(instrumentations, options);
}

/** W3C trace context and baggage, as SDKs register by default. */
export function w3c(): TextMapPropagator {
  return new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] });
}

/** Runs code as in a process that no OpenTelemetry SDK is registered in. */
export function unregister(): void {
  trace.disable();
  context.disable();
  propagation.disable();
  metricsApi.disable();
}

/** A span made by hand in the application, started and ended at once; its context, for expectations. */
export function applicationSpan(name: string, base: Context = ROOT_CONTEXT) {
  const span = trace.getTracer('application').startSpan(name, {}, base);
  span.end();
  return span.spanContext();
}
