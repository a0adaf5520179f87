/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context, createContextKey, metrics, type ProxyTracerProvider, trace } from '@opentelemetry/api';
import { NodeSDK, startNodeSDK } from '@opentelemetry/sdk-node';

import { listenToDiagnostics } from './diagnostics';
import { sdkDependency } from './sdk-dependency';

/** The part of a running SDK that the end of the process needs. */
export interface Telemetry {
  /** Exports the spans and log records that are waiting. */
  flush(): Promise<void>;
  /** Exports the current metrics. */
  flushMetrics(): Promise<void>;
  /** Exports everything, waits for exports under way and records nothing more. */
  shutdown(): Promise<void>;
}

interface Flushable {
  forceFlush?(): Promise<void>;
}

interface LogsApi {
  readonly logs: { getLoggerProvider(): unknown };
}

/** Whether somebody registered a tracer provider before us. */
export function isAnotherSdkRegistered(): boolean {
  const provider = trace.getTracerProvider() as Partial<ProxyTracerProvider>;
  // A provider that is no proxy was set through another copy of the API. A proxy without delegate tracers stands for nobody.
  return !provider.getDelegateTracer || provider.getDelegateTracer('@otel-messaging/auto') !== undefined;
}

/**
 * Starts the Node SDK from the standard `OTEL_*` variables, or from the file that `OTEL_CONFIG_FILE` names.
 *
 * Undefined if nothing was started, because the file says `disabled` or cannot be used (which the SDK reports). May throw.
 */
export function startSdk(env: NodeJS.ProcessEnv): Telemetry | undefined {
  const sdk = env['OTEL_CONFIG_FILE']?.trim() ? startNodeSDK() : startFromVariables();
  if (!isContextKept()) return undefined;
  return {
    flush: () => flushAll([tracerProvider(), ...spanExporters(), loggerProvider()]),
    flushMetrics: () => flushAll([metrics.getMeterProvider()]),
    shutdown: () => sdk.shutdown(),
  };
}

function startFromVariables(): NodeSDK {
  const started = listenToDiagnostics();
  const sdk = new NodeSDK();
  sdk.start();
  started();
  return sdk;
}

// Both ways of starting register a context manager, also when there is nothing to export.
function isContextKept(): boolean {
  const key = createContextKey('@otel-messaging/auto probe');
  return context.with(context.active().setValue(key, true), () => context.active().getValue(key) === true);
}

function tracerProvider(): unknown {
  const provider = trace.getTracerProvider() as Partial<ProxyTracerProvider>;
  return provider.getDelegate?.() ?? provider;
}

// Part of @opentelemetry/api from 1.10 on.
function loggerProvider(): unknown {
  try {
    return sdkDependency<LogsApi>('@opentelemetry/api-logs').logs.getLoggerProvider();
  } catch {
    return undefined;
  }
}

// A batch processor's forceFlush() does not wait for the batch that its timer has sent; its exporter's does, and nothing
// public leads there. Should these fields go away, that batch alone is not waited for.
function spanExporters(): unknown[] {
  const provider = tracerProvider() as { _activeSpanProcessor?: { _spanProcessors?: { _exporter?: unknown }[] } };
  return provider._activeSpanProcessor?._spanProcessors?.map(({ _exporter }) => _exporter) ?? [];
}

async function flushAll(parts: readonly unknown[]): Promise<void> {
  // One that fails is no reason not to wait for the others; the SDK has told its own diagnostics.
  await Promise.allSettled(parts.map(async (part) => (part as Flushable | undefined)?.forceFlush?.()));
}
