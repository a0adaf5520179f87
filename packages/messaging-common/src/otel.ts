/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import * as api from '@opentelemetry/api';

/**
 * What is used of the API while messages pass. The API's own exports are getters of an object that V8 keeps as a hash table:
 * each use of one takes 10 to 20 ns, and there are tens of them for a message. None of them ever changes.
 */
export const { context, createContextKey, propagation, trace } = api;
export const { INVALID_TRACEID, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags } = api;
export type SpanKind = api.SpanKind;

/** Where every copy of @opentelemetry/api 1.x keeps what is registered: the contract between its versions. */
const API_KEY = Symbol.for('opentelemetry.js.api.1');

interface Registered {
  readonly context?: api.ContextManager;
  readonly trace?: api.TracerProvider;
  readonly metrics?: api.MeterProvider;
  readonly propagation?: api.TextMapPropagator;
}

/** What is registered now, for whichever copy of the API. */
export function registered(): Registered | undefined {
  return (globalThis as { readonly [API_KEY]?: Registered })[API_KEY];
}

/** The context manager in force; the API itself compares versions at each call (30 ns). */
export function contexts(): Pick<api.ContextManager, 'active' | 'with'> {
  return registered()?.context ?? context;
}
