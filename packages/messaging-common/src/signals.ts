/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  type DiagLogger,
  type MeterProvider,
  metrics as metricsApi,
  type TextMapPropagator,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import { Carrier } from './carrier';
import { guard } from './errors';
import { type Instruments, instrumentsOf } from './metrics';
import { registered, trace as traceApi } from './otel';
import { type Sampling, samplingOf, UNKNOWN } from './sampling';
import { SpanContents } from './span-contents';

/**
 * The tracer, instruments and propagator in force, looked up again only when somebody registered others.
 * Holds the SDK's own tracer: the API's proxies cost a call per span, and hide whether anybody records at all.
 */
export class Signals {
  /** Undefined where no tracer provider is registered. */
  tracer: Tracer | undefined;
  /** What its sampler will say in any case. */
  sampling: Sampling = UNKNOWN;
  /** What gives its spans their attributes and links. */
  contents = new SpanContents();
  /** Undefined where no meter provider is registered. */
  instruments: Instruments | undefined;
  carrier: Carrier | undefined;

  private isActive = false;
  private explicitTracerProvider: TracerProvider | undefined;
  private explicitMeterProvider: MeterProvider | undefined;
  private seenTracerProvider: unknown;
  private seenMeterProvider: unknown;
  private seenPropagator: unknown;

  constructor(
    private readonly scopeName: string,
    private readonly scopeVersion: string,
    private readonly diag: DiagLogger,
  ) {}

  /** Whether anything would be recorded. A few comparisons unless a provider has changed. */
  areOn(): boolean {
    const globals = registered();
    const tracerProvider = delegateOf(this.explicitTracerProvider ?? globals?.trace);
    const meterProvider = this.explicitMeterProvider ?? globals?.metrics;
    if (
      tracerProvider !== this.seenTracerProvider ||
      meterProvider !== this.seenMeterProvider ||
      globals?.propagation !== this.seenPropagator
    ) {
      this.refresh(tracerProvider, meterProvider, globals?.propagation);
    }
    return this.isActive;
  }

  /** A provider other than the global one stays in force whatever is registered globally. */
  setTracerProvider(provider: TracerProvider): void {
    this.explicitTracerProvider = provider === traceApi.getTracerProvider() ? undefined : provider;
  }

  setMeterProvider(provider: MeterProvider): void {
    this.explicitMeterProvider = provider === metricsApi.getMeterProvider() ? undefined : provider;
  }

  private refresh(
    tracerProvider?: TracerProvider,
    meterProvider?: MeterProvider,
    propagator?: TextMapPropagator,
  ): void {
    const { scopeName, scopeVersion, diag } = this;
    // Seen first: a provider that throws is not asked again at every message.
    const metersChanged = meterProvider !== this.seenMeterProvider;
    this.seenTracerProvider = tracerProvider;
    this.seenMeterProvider = meterProvider;
    this.seenPropagator = propagator;
    this.tracer = guard(diag, 'use the tracer provider', undefined, () =>
      isNoop(tracerProvider) ? undefined : tracerProvider?.getTracer(scopeName, scopeVersion),
    );
    this.sampling = guard(diag, 'read how a tracer samples', UNKNOWN, () => samplingOf(this.tracer));
    this.contents = new SpanContents();
    this.carrier = guard(diag, 'use the propagator', undefined, () => propagator && new Carrier(propagator));
    if (metersChanged) {
      this.instruments = guard(diag, 'use the meter provider', undefined, () =>
        meterProvider === undefined || isNoop(meterProvider)
          ? undefined
          : instrumentsOf(meterProvider, scopeName, scopeVersion),
      );
    }
    this.isActive = this.tracer !== undefined || this.instruments !== undefined;
  }
}

/** The provider behind the API's proxy. */
function delegateOf(
  provider: (TracerProvider & { getDelegate?(): TracerProvider }) | undefined,
): TracerProvider | undefined {
  try {
    return typeof provider?.getDelegate === 'function' ? provider.getDelegate() : provider;
  } catch {
    return provider; // asked before every operation, by code of the application's
  }
}

/** The API's own stand-ins, of whichever copy of it. */
function isNoop(provider: object | undefined): boolean {
  return provider === undefined || /^Noop(Tracer|Meter)Provider$/.test(provider.constructor?.name);
}
