/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Context, Span, SpanContext } from '@opentelemetry/api';
import { AwaitedContext } from './awaited-context';
import { createContextKey, INVALID_TRACEID, ROOT_CONTEXT, trace } from './otel';

/** What a context tells of the message, or messages, whose handler runs in it. */
export interface DeliveryScope {
  /** The context that the handler runs in. */
  readonly context: Context;
  /** What the handler's context stands for once its body has been left, see `ProcessOperation.leave`. */
  readonly successor?: Context | undefined;
  /** Started on first use where a span is lazy; undefined while it is being started. */
  activeSpan(): Span | undefined;
  /** Whether the scope's handler is over, so that its span is no parent or link target for new work. */
  isOver(): boolean;
  /** Whether the context has the baggage that a message brought; that of several messages has none of theirs. */
  readonly hasBaggage: boolean;
  /** Whether this is the creation context of a message that is being processed here. */
  isCreationContext(candidate: SpanContext): boolean;
}

/** The key that the API itself uses; read off it, because it is not exported. */
const SPAN_KEY: symbol = keyOf((recorder) => trace.setSpan(recorder, trace.wrapSpanContext({} as SpanContext)));
const SCOPE_KEY = createContextKey('otel-messaging delivery scope');
/** The key under which the SDK's `suppressTracing` stores its mark (@opentelemetry/core 1.x to 3.x). */
const SUPPRESS_TRACING_KEY = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

/** What most polls run in. */
const SUPPRESSED_ROOT = ROOT_CONTEXT.setValue(SUPPRESS_TRACING_KEY, true);

/** In place of a span: the scope's, asked of it each time. */
const OF_SCOPE = Symbol('span of the scope');

/** The message scope that a context belongs to. */
export function scopeOf(context: Context): DeliveryScope | undefined {
  return context.getValue(SCOPE_KEY) as DeliveryScope | undefined;
}

/** The span that new work may take as parent or link: not one whose handler is over, nor one that has ended. */
export function ambientSpan(context: Context): Span | undefined {
  if (context === ROOT_CONTEXT) return undefined;
  const span = trace.getSpan(withoutPastScope(context));
  if (span === undefined || span.isRecording()) return span;
  // Not recording: unsampled, remote, or over; the SDK's spans tell.
  const isEnded = (span as { readonly ended?: unknown }).ended === true;
  return isEnded || span.spanContext().traceId === INVALID_TRACEID ? undefined : span;
}

/** Whether tracing is off in the context. */
export function isSuppressed(context: Context): boolean {
  return context.getValue(SUPPRESS_TRACING_KEY) === true;
}

/** The context with tracing off: whatever the client does inside makes no spans. */
export function suppressed(context: Context): Context {
  const from = settled(context);
  return from === ROOT_CONTEXT ? SUPPRESSED_ROOT : from.setValue(SUPPRESS_TRACING_KEY, true);
}

/** The context with another span, or with none: ten times cheaper than the API's copied Map. */
export function withSpan(context: Context, span: Span | undefined): Context {
  const from = settled(context);
  return from instanceof LayeredContext
    ? new LayeredContext(from.base, from.values, span, from.scope)
    : new LayeredContext(from, undefined, span, undefined);
}

/** The context in which a message is handled. Any enclosing message's scope is left: the new one hides it anyway. */
export function withScope(context: Context, scope: DeliveryScope): Context {
  const from = settled(context);
  return from instanceof LayeredContext
    ? new LayeredContext(from.base, from.values, OF_SCOPE, scope)
    : new LayeredContext(from, undefined, OF_SCOPE, scope);
}

/** The context with a span in place of its scope: what a scope's own span is started in. */
export function withoutScope(context: Context, span: Span | undefined): Context {
  const from = settled(context);
  return from instanceof LayeredContext
    ? new LayeredContext(from.base, from.values, span, undefined)
    : new LayeredContext(from, undefined, span, undefined);
}

/** The context without a message's scope that is over: it has nothing more to tell, and must not be kept. */
export function withoutPastScope(context: Context): Context {
  const from = settled(context);
  const isPast = from instanceof LayeredContext && from.span === OF_SCOPE && from.scope?.isOver();
  return isPast ? withoutScope(from, undefined) : from;
}

/** What an awaited context stands for now, settled too. */
function inPlaceOf(context: Context): Context {
  return context instanceof AwaitedContext ? settled(context.current) : context;
}

/**
 * What the context stands for now: itself, or what has taken the place of a body's context that was left. What
 * somebody set over the latter in the meantime stays.
 */
export function settled(context: Context): Context {
  if (!(context instanceof LayeredContext)) return AwaitedContext.isUsed ? inPlaceOf(context) : context;
  if (context.span !== OF_SCOPE) return context;
  const { scope, values } = context;
  if (scope?.successor === undefined) return context;
  const before = (scope.context as LayeredContext).values;
  let now = settled(scope.successor);
  if (values === before || values === undefined) return now;
  for (const [key, value] of values) if (before?.get(key) !== value) now = now.setValue(key, value);
  return now;
}

/**
 * One layer over a context that is not ours: a span, a message's scope, and other values. Immutable like every Context,
 * and never two deep, so that work which starts the next message's work keeps nothing of the messages before.
 */
class LayeredContext implements Context {
  constructor(
    readonly base: Context,
    readonly values: ReadonlyMap<symbol, unknown> | undefined,
    readonly span: Span | undefined | typeof OF_SCOPE,
    readonly scope: DeliveryScope | undefined,
  ) {}

  getValue(key: symbol): unknown {
    const { base, values, span, scope } = this;
    if (span === OF_SCOPE && scope?.successor !== undefined) return settled(this).getValue(key);
    if (key === SPAN_KEY) return span === OF_SCOPE ? scope?.activeSpan() : span;
    if (key === SCOPE_KEY) return scope;
    const value = values?.get(key);
    return value !== undefined || values?.has(key) ? value : base.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    const { base, values, span, scope } = this;
    if (span === OF_SCOPE && scope?.successor !== undefined) return settled(this).setValue(key, value);
    if (key === SPAN_KEY) return new LayeredContext(base, values, value as Span | undefined, scope);
    return new LayeredContext(base, new Map(values).set(key, value), span, scope);
  }

  deleteValue(key: symbol): Context {
    return this.setValue(key, undefined);
  }
}

function keyOf(write: (recorder: Context) => unknown): symbol {
  let found = Symbol('unknown');
  const recorder: Context = {
    getValue: () => undefined,
    setValue: (key) => {
      found = key;
      return recorder;
    },
    deleteValue: () => recorder,
  };
  write(recorder);
  return found;
}
