/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { createContextKey, propagation, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';
import { isTracingSuppressed, suppressTracing } from '@opentelemetry/core';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import {
  ambientSpan,
  type DeliveryScope,
  isSuppressed,
  scopeOf,
  settled,
  suppressed,
  withoutPastScope,
  withoutScope,
  withScope,
  withSpan,
} from '../src/context';

const KEY = createContextKey('own');
const OTHER = createContextKey('other');
const tracer = new BasicTracerProvider().getTracer('test');

class Scope implements DeliveryScope {
  context = withScope(ROOT_CONTEXT, this);
  successor = undefined as DeliveryScope['successor'];
  span: Span | undefined = tracer.startSpan('of the scope');
  asked = 0;
  isDone = false;
  hasBaggage = true;

  in(base = ROOT_CONTEXT): this {
    this.context = withScope(base, this);
    return this;
  }
  activeSpan() {
    this.asked++;
    return this.span;
  }
  isOver() {
    return this.isDone;
  }
  isCreationContext() {
    return false;
  }
}

/** How many objects hang on a context, itself included. */
function size(context: unknown, seen = new Set<unknown>()): number {
  if (typeof context !== 'object' || context === null || seen.has(context)) return 0;
  seen.add(context);
  const entries = context instanceof Map ? [...context.entries()].flat() : Object.values(context);
  return 1 + entries.reduce<number>((sum, value) => sum + size(value, seen), 0);
}

describe('a context with a span', () => {
  const span = tracer.startSpan('mine');

  test('has the span, and everything of its base', () => {
    const context = withSpan(ROOT_CONTEXT.setValue(KEY, 1), span);
    expect(trace.getSpan(context)).toBe(span);
    expect(context.getValue(KEY)).toBe(1);
  });

  test('without a span hides the span of its base', () => {
    expect(trace.getSpan(withSpan(trace.setSpan(ROOT_CONTEXT, span), undefined))).toBeUndefined();
  });

  test('is not changed by what is derived from it', () => {
    const context = withSpan(ROOT_CONTEXT, span);
    const derived = context.setValue(KEY, 1).deleteValue(OTHER);
    expect(context.getValue(KEY)).toBeUndefined();
    expect(derived.getValue(KEY)).toBe(1);
    expect(trace.getSpan(derived)).toBe(span);
  });

  test('forgets a deleted value, also one of its base', () => {
    const context = withSpan(ROOT_CONTEXT.setValue(KEY, 1), span);
    expect(context.deleteValue(KEY).getValue(KEY)).toBeUndefined();
    expect(context.setValue(OTHER, 2).deleteValue(OTHER).getValue(OTHER)).toBeUndefined();
  });

  test('takes another span, and gives up its span, as the API does it', () => {
    const other = tracer.startSpan('other');
    const context = withSpan(ROOT_CONTEXT, span);
    expect(trace.getSpan(trace.setSpan(context, other))).toBe(other);
    expect(trace.getSpan(trace.deleteSpan(context))).toBeUndefined();
  });

  test('keeps values that are undefined or false', () => {
    const context = withSpan(ROOT_CONTEXT.setValue(KEY, 1), span).setValue(KEY, undefined).setValue(OTHER, false);
    expect(context.getValue(KEY)).toBeUndefined();
    expect(context.getValue(OTHER)).toBe(false);
  });

  test('works with baggage of the API', () => {
    const baggage = propagation.createBaggage({ tenant: { value: 'a' } });
    const context = propagation.setBaggage(withSpan(ROOT_CONTEXT, span), baggage);
    expect(propagation.getBaggage(context)).toBe(baggage);
    expect(propagation.getBaggage(propagation.deleteBaggage(context))).toBeUndefined();
  });
});

describe('suppression', () => {
  test("is the SDK's own mark", () => {
    expect(isTracingSuppressed(suppressed(ROOT_CONTEXT))).toBe(true);
    expect(isSuppressed(suppressTracing(ROOT_CONTEXT))).toBe(true);
    expect(isSuppressed(ROOT_CONTEXT)).toBe(false);
  });

  test('passes through our layers', () => {
    expect(isSuppressed(withSpan(suppressTracing(ROOT_CONTEXT), undefined))).toBe(true);
    expect(isTracingSuppressed(suppressTracing(new Scope().context))).toBe(true);
  });
});

describe("a message's context", () => {
  test('asks for its span only when somebody wants it', () => {
    const scope = new Scope();
    scope.context.getValue(KEY);
    scopeOf(scope.context.setValue(KEY, 1));
    expect(scope.asked).toBe(0);
    expect(trace.getSpan(scope.context)).toBe(scope.span);
  });

  test('belongs to the scope, also under a span of the application', () => {
    const scope = new Scope();
    expect(scopeOf(trace.setSpan(scope.context, tracer.startSpan('inner')))).toBe(scope);
    expect(scopeOf(withSpan(scope.context, undefined))).toBe(scope);
    expect(scopeOf(withoutScope(scope.context, undefined))).toBeUndefined();
  });

  test('hides the scope that it is entered from', () => {
    const outer = new Scope();
    const inner = new Scope().in(outer.context.setValue(KEY, 1));
    expect(scopeOf(inner.context)).toBe(inner);
    expect(inner.context.getValue(KEY)).toBe(1);
  });
});

describe('nothing piles up', () => {
  test.each<[string, (context: typeof ROOT_CONTEXT, i: number) => typeof ROOT_CONTEXT]>([
    ['sends within sends', (context) => withSpan(context, undefined)],
    ['messages within messages', (context) => new Scope().in(context).context],
    [
      'sends within messages within sends',
      (context) => withSpan(new Scope().in(withSpan(context, undefined)).context, undefined),
    ],
    ['values', (context, i) => withSpan(context.setValue(KEY, i), undefined)],
    ['deleted values', (context) => withSpan(context.setValue(KEY, 1).deleteValue(KEY), undefined)],
    ['spans of the API', (context) => trace.setSpan(withSpan(context, undefined), trace.wrapSpanContext({} as never))],
    ['polls', (context) => suppressed(new Scope().in(context).context)],
    [
      'scopes that are past',
      (context) => withoutPastScope(Object.assign(new Scope(), { isDone: true }).in(context).context),
    ],
  ])('%s', (_, step) => {
    let context = withSpan(ROOT_CONTEXT.setValue(OTHER, 0), undefined);
    for (let i = 0; i < 5; i++) context = step(context, i);
    const early = size(context);
    for (let i = 0; i < 50; i++) context = step(context, i);
    expect(size(context)).toBeLessThanOrEqual(early);
  });
});

describe('the ambient span', () => {
  test.each<[string, () => [typeof ROOT_CONTEXT, Span | undefined]]>([
    ['none', () => [ROOT_CONTEXT, undefined]],
    [
      'one that records',
      () => {
        const span = tracer.startSpan('x');
        return [trace.setSpan(ROOT_CONTEXT, span), span];
      },
    ],
    [
      'one that has ended',
      () => {
        const span = tracer.startSpan('x');
        span.end();
        return [trace.setSpan(ROOT_CONTEXT, span), undefined];
      },
    ],
    [
      'a remote one',
      () => {
        const span = trace.wrapSpanContext({
          traceId: '1'.repeat(32),
          spanId: '1'.repeat(16),
          traceFlags: 1,
          isRemote: true,
        });
        return [trace.setSpan(ROOT_CONTEXT, span), span];
      },
    ],
    [
      'one that the application made by hand',
      () => {
        const span = trace.wrapSpanContext({ traceId: '1'.repeat(32), spanId: '1'.repeat(16), traceFlags: 1 });
        return [trace.setSpan(ROOT_CONTEXT, span), span];
      },
    ],
    [
      'an unsampled one',
      () => {
        const span = trace.wrapSpanContext({ traceId: '1'.repeat(32), spanId: '1'.repeat(16), traceFlags: 0 });
        return [trace.setSpan(ROOT_CONTEXT, span), span];
      },
    ],
    [
      'one of suppressed tracing',
      () => [trace.setSpan(ROOT_CONTEXT, tracer.startSpan('x', {}, suppressTracing(ROOT_CONTEXT))), undefined],
    ],
    [
      "a message's",
      () => {
        const scope = new Scope();
        return [scope.context, scope.span];
      },
    ],
    [
      "a message's that is over",
      () => {
        const scope = new Scope();
        scope.isDone = true;
        return [scope.context, undefined];
      },
    ],
    [
      "the application's, within a message that is over",
      () => {
        const scope = new Scope();
        scope.isDone = true;
        const span = tracer.startSpan('x');
        return [trace.setSpan(scope.context, span), span];
      },
    ],
  ])('%s', (_, make) => {
    const [context, expected] = make();
    expect(ambientSpan(context)).toBe(expected);
  });

  test('is not asked of a message that is over', () => {
    const scope = new Scope();
    scope.isDone = true;
    ambientSpan(scope.context);
    expect(scope.asked).toBe(0);
  });
});

describe('a context whose body was left in another', () => {
  const before = trace.setSpan(ROOT_CONTEXT.setValue(KEY, 'before'), tracer.startSpan('before'));

  const left = () => {
    const scope = new Scope().in(before.setValue(KEY, 'of the message'));
    scope.successor = before;
    return scope;
  };

  test('has the span and values of what took its place', () => {
    const { context } = left();
    expect(trace.getSpan(context)).toBe(trace.getSpan(before));
    expect(context.getValue(KEY)).toBe('before');
    expect(scopeOf(context)).toBeUndefined();
    expect(settled(context)).toBe(before);
  });

  test('is not asked for the span of its scope', () => {
    const scope = left();
    trace.getSpan(scope.context);
    trace.getSpan(scope.context.setValue(OTHER, 1));
    withSpan(scope.context, undefined);
    expect(scope.asked).toBe(0);
  });

  test('keeps what was set over it before', () => {
    const scope = new Scope().in(before);
    const derived = scope.context.setValue(OTHER, 'later');
    scope.successor = before;
    expect(derived.getValue(OTHER)).toBe('later');
    expect(derived.getValue(KEY)).toBe('before');
    expect(trace.getSpan(derived)).toBe(trace.getSpan(before));
  });

  test('leaves a span alone that the application started inside', () => {
    const scope = new Scope().in(before);
    const span = tracer.startSpan('inside');
    const derived = trace.setSpan(scope.context, span);
    scope.successor = before;
    expect(trace.getSpan(derived)).toBe(span);
  });

  test('is no layer for what is derived from it later', () => {
    expect(left().context.setValue(OTHER, 1)).not.toHaveProperty('scope');
  });
});
