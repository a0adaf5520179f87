/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { AnyFunction } from '@otel-messaging/messaging-common';

/**
 * Whether `@opentelemetry/instrumentation-amqplib` has patched these channels before us; it alone wraps `emit`. Where it
 * comes after us, it leaves alone what is wrapped, and nothing is recorded twice either.
 */
export function isPatchedByUpstream(prototype: object): boolean {
  const { emit } = prototype as { readonly emit?: AnyFunction };
  return Object.hasOwn(prototype, 'emit') && emit !== undefined && beneath(emit) !== emit;
}

/** The function below a wrapper of OpenTelemetry's, so that one publish or delivery gets one span. */
export function beneath(wrapped: AnyFunction): AnyFunction {
  const { __original: original } = wrapped as { readonly __original?: unknown };
  return typeof original === 'function' ? (original as AnyFunction) : wrapped;
}
