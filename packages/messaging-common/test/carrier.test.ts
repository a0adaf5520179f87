/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  type Context,
  createContextKey,
  propagation,
  ROOT_CONTEXT,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  trace,
} from '@opentelemetry/api';
import { CompositePropagator, TraceState, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { B3InjectEncoding, B3Propagator } from '@opentelemetry/propagator-b3';
import { w3c } from '@otel-messaging/test-utils';
import { Carrier } from '../src/carrier';
import type { MessageReader } from '../src/operation';

type Headers = Record<string, string>;

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const SPAN_CONTEXT = { traceId: TRACE, spanId: SPAN, traceFlags: 1 };
const TRACEPARENT = `00-${TRACE}-${SPAN}-01`;

const reader: MessageReader<Headers> = {
  get: (headers, field) => headers[field],
  keys: (headers) => Object.keys(headers),
  describe: () => ({}),
};
const getter: TextMapGetter<Headers> = { get: (headers, key) => headers[key], keys: (headers) => Object.keys(headers) };
const setter: TextMapSetter<Headers> = {
  set: (headers, key, value) => {
    headers[key] = value;
  },
};

/** What a propagator alone makes of the headers. */
function byPropagator(propagator: TextMapPropagator, headers: Headers) {
  const context = propagator.extract(ROOT_CONTEXT, headers, getter);
  const found = trace.getSpanContext(context);
  return { creation: found && trace.isSpanContextValid(found) ? found : undefined, baggage: entries(context) };
}

function byCarrier(propagator: TextMapPropagator, headers: Headers) {
  const { creation, context } = new Carrier(propagator).extract(headers, reader);
  return { creation, baggage: entries(context ?? ROOT_CONTEXT) };
}

function entries(context: Context) {
  const found = propagation.getBaggage(context)?.getAllEntries();
  return found?.map(([key, { value, metadata }]) => [key, value, metadata?.toString()]);
}

/** A propagator that counts how often it is asked. */
function counting(propagator: TextMapPropagator) {
  const calls = { inject: 0, extract: 0 };
  const counted: TextMapPropagator = {
    fields: () => propagator.fields(),
    inject: (...args) => {
      calls.inject++;
      propagator.inject(...args);
    },
    extract: (...args) => {
      calls.extract++;
      return propagator.extract(...args);
    },
  };
  return { propagator: counted, calls };
}

describe('the short cut of W3C trace context finds what the propagator finds', () => {
  test.each<[string, Headers]>([
    ['nothing', {}],
    ['a plain traceparent', { traceparent: TRACEPARENT }],
    ['an unsampled one', { traceparent: `00-${TRACE}-${SPAN}-00` }],
    ['other flags', { traceparent: `00-${TRACE}-${SPAN}-ff` }],
    ['a later version', { traceparent: `cc-${TRACE}-${SPAN}-01` }],
    ['a later version with more', { traceparent: `cc-${TRACE}-${SPAN}-01-what-comes` }],
    ['version 00 with more', { traceparent: `${TRACEPARENT}-more` }],
    ['version ff', { traceparent: `ff-${TRACE}-${SPAN}-01` }],
    ['space around', { traceparent: ` ${TRACEPARENT} ` }],
    ['upper case', { traceparent: TRACEPARENT.toUpperCase() }],
    ['zeros', { traceparent: `00-${'0'.repeat(32)}-${SPAN}-01` }],
    ['garbage', { traceparent: 'garbage' }],
    ['an empty text', { traceparent: '' }],
    ['a tracestate', { traceparent: TRACEPARENT, tracestate: 'a=1,b=2' }],
    ['an invalid tracestate', { traceparent: TRACEPARENT, tracestate: '=' }],
    ['a tracestate alone', { tracestate: 'a=1' }],
    ['baggage', { traceparent: TRACEPARENT, baggage: 'tenant=a' }],
    ['baggage alone', { baggage: 'tenant=a' }],
    ['baggage and garbage', { traceparent: 'garbage', baggage: 'tenant=a' }],
    ['invalid baggage', { traceparent: TRACEPARENT, baggage: '=,;' }],
  ])('%s', (_, headers) => {
    expect(byCarrier(w3c(), headers)).toEqual(byPropagator(w3c(), headers));
    expect(byCarrier(new W3CTraceContextPropagator(), headers)).toEqual(
      byPropagator(new W3CTraceContextPropagator(), headers),
    );
  });

  test('in 2,000 texts made at random', () => {
    const random = generator(42);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    const hex = (length: number) => Array.from({ length }, () => pick([...'0123456789abcdef'])).join('');
    const spoil = (text: string) => {
      const at = Math.floor(random() * text.length);
      return pick([
        text.slice(0, at) + pick(['g', 'A', '-', ' ', '0', '\u0000', 'é']) + text.slice(at + 1),
        text.slice(0, at) + text.slice(at + 1),
        text.slice(0, at) + pick(['0', '-', 'f']) + text.slice(at),
      ]);
    };
    for (let i = 0; i < 2000; i++) {
      const valid = `${pick(['00', '00', '01', 'ff'])}-${pick([hex(32), '0'.repeat(32)])}-${hex(16)}-${hex(2)}`;
      const headers: Headers = { traceparent: pick([valid, spoil(valid), spoil(spoil(valid))]) };
      if (random() < 0.2) headers['tracestate'] = pick(['a=1', `k=${hex(3)}`, 'broken']);
      if (random() < 0.2) headers['baggage'] = pick(['k=v', 'k=v;p=1', 'k']);
      expect([headers, byCarrier(w3c(), headers)]).toEqual([headers, byPropagator(w3c(), headers)]);
    }
  });

  test.each<[string, Headers, string[]]>([
    ['one header is asked for alone', { traceparent: TRACEPARENT }, ['traceparent']],
    ['beside others all are', { traceparent: TRACEPARENT, baggage: 'a=b' }, ['traceparent', 'baggage']],
    ['so are they where it is none', { traceparent: 'garbage' }, ['traceparent', 'baggage']],
  ])('%s, of a message that says what it has', (_, headers, asked) => {
    const gets: string[] = [];
    const telling: MessageReader<Headers> = {
      ...reader,
      hasOnly: (message, field) => Object.keys(message).join() === field,
      get: (message, field) => {
        gets.push(field);
        return reader.get(message, field);
      },
    };
    const { creation, context } = new Carrier(w3c()).extract(headers, telling);
    expect(gets.slice(0, asked.length)).toEqual(asked);
    if (asked.length === 1) expect(gets).toEqual(asked);
    expect({ creation, baggage: entries(context ?? ROOT_CONTEXT) }).toEqual(byCarrier(w3c(), headers));
  });

  test('and does not ask the propagator for a plain traceparent', () => {
    const { propagator, calls } = counting(w3c());
    const carrier = new Carrier(propagator);
    const probes = calls.extract;
    carrier.extract({ traceparent: TRACEPARENT }, reader);
    carrier.extract({}, reader);
    expect(calls.extract).toBe(probes);
  });
});

describe('the short cut of W3C trace context writes what the propagator writes', () => {
  const baggage = propagation.createBaggage({ tenant: { value: 'a b' } });

  test.each<[string, typeof SPAN_CONTEXT & { traceState?: TraceState }, Context]>([
    ['a sampled span', SPAN_CONTEXT, ROOT_CONTEXT],
    ['an unsampled span', { ...SPAN_CONTEXT, traceFlags: 0 }, ROOT_CONTEXT],
    ['a tracestate', { ...SPAN_CONTEXT, traceState: new TraceState('a=1') }, ROOT_CONTEXT],
    ['baggage', SPAN_CONTEXT, propagation.setBaggage(ROOT_CONTEXT, baggage)],
    ['an invalid span', { ...SPAN_CONTEXT, traceId: '0'.repeat(32) }, ROOT_CONTEXT],
  ])('%s', (_, spanContext, base) => {
    const context = trace.setSpanContext(base, spanContext);
    const expected: Headers = {};
    w3c().inject(context, expected, setter);
    expect(new Carrier(w3c()).inject(context, spanContext, false).fields).toEqual(expected);
  });

  test('and does not ask the propagator where there is neither tracestate nor baggage', () => {
    const { propagator, calls } = counting(w3c());
    const carrier = new Carrier(propagator);
    const probes = calls.inject;
    carrier.inject(trace.setSpanContext(ROOT_CONTEXT, SPAN_CONTEXT), SPAN_CONTEXT, false);
    expect(calls.inject).toBe(probes);
  });
});

test('a trace state of which nothing was valid is not written', () => {
  const carrier = new Carrier(w3c());
  const { creation } = carrier.extract({ traceparent: TRACEPARENT, tracestate: 'UPPER=case' }, reader);
  const context = trace.setSpanContext(ROOT_CONTEXT, creation!);
  const baggage = propagation.createBaggage({ tenant: { value: 'a' } });
  const { fields, stale } = carrier.inject(propagation.setBaggage(context, baggage), creation!, false);
  expect(fields).toEqual({ traceparent: TRACEPARENT, baggage: 'tenant=a' });
  expect(stale).toContain('tracestate');
});

describe('headers to remove first', () => {
  const context = trace.setSpanContext(ROOT_CONTEXT, SPAN_CONTEXT);
  const stale = (propagator: TextMapPropagator, forwarded: boolean, over = context) =>
    [...new Carrier(propagator).inject(over, SPAN_CONTEXT, forwarded).stale].sort();

  test("the context's, but not the baggage that the application wrote itself", () => {
    expect(stale(w3c(), false)).toEqual(['traceparent', 'tracestate']);
  });

  test('baggage too where ours is written', () => {
    const baggage = propagation.createBaggage({ tenant: { value: 'a' } });
    expect(stale(w3c(), false, propagation.setBaggage(context, baggage))).toEqual([
      'baggage',
      'traceparent',
      'tracestate',
    ]);
  });

  test('all of them in a message that was received', () => {
    expect(stale(w3c(), true)).toEqual(['baggage', 'traceparent', 'tracestate']);
  });

  test("no other propagator's", () => {
    expect(stale(new B3Propagator(), false)).not.toContain('traceparent');
  });
});

describe('other propagators', () => {
  test.each<[string, TextMapPropagator]>([
    ['B3, one header', new B3Propagator()],
    ['B3, several headers', new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER })],
    ['W3C and B3', new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new B3Propagator()] })],
    ['W3C without baggage', new W3CTraceContextPropagator()],
    ['W3C in another letter case of its fields', inUpperCase(w3c())],
  ])('%s: what is written is read', (_, propagator) => {
    const carrier = new Carrier(propagator);
    const { fields } = carrier.inject(trace.setSpanContext(ROOT_CONTEXT, SPAN_CONTEXT), SPAN_CONTEXT, false);
    expect(carrier.extract(fields, reader).creation).toMatchObject(SPAN_CONTEXT);
  });

  test('one that claims the fields of W3C but behaves otherwise is asked each time', () => {
    const swapped: TextMapPropagator = {
      fields: () => ['traceparent'],
      inject: (_, carrier, set) => set.set(carrier, 'traceparent', 'mine'),
      extract: (context, carrier, get) =>
        get.get(carrier, 'traceparent') === 'mine' ? trace.setSpanContext(context, SPAN_CONTEXT) : context,
    };
    const carrier = new Carrier(swapped);
    expect(carrier.extract({ traceparent: 'mine' }, reader).creation).toEqual(SPAN_CONTEXT);
    expect(carrier.extract({ traceparent: TRACEPARENT }, reader).creation).toBeUndefined();
    expect(carrier.inject(ROOT_CONTEXT, SPAN_CONTEXT, false).fields).toEqual({ traceparent: 'mine' });
  });

  test('one that adds a header of its own to the traceparent is not cut short', () => {
    const more: TextMapPropagator = {
      fields: () => ['traceparent'],
      inject: (context, carrier, set) => {
        new W3CTraceContextPropagator().inject(context, carrier, set);
        set.set(carrier, 'tenant', 'a');
      },
      extract: (context, carrier, get) => new W3CTraceContextPropagator().extract(context, carrier, get),
    };
    const context = trace.setSpanContext(ROOT_CONTEXT, SPAN_CONTEXT);
    expect(new Carrier(more).inject(context, SPAN_CONTEXT, false).fields).toEqual({
      traceparent: TRACEPARENT,
      tenant: 'a',
    });
  });

  test('one with keys of its own finds them in the context', () => {
    const { propagator, key } = withTenant();
    const { creation, context } = new Carrier(propagator).extract({ traceparent: TRACEPARENT, tenant: 'a' }, reader);
    expect(creation).toMatchObject(SPAN_CONTEXT);
    expect(context?.getValue(key)).toBe('a');
  });

  test('one with keys of its own sets them over the context of the application as well', () => {
    const { propagator, key } = withTenant();
    const carrier = new Carrier(propagator);
    const own = createContextKey('own');
    const headers = { traceparent: TRACEPARENT, tenant: 'a' };
    const context = carrier.extractOver(
      ROOT_CONTEXT.setValue(own, 1),
      headers,
      reader,
      carrier.extract(headers, reader),
    );
    expect([context.getValue(key), context.getValue(own)]).toEqual(['a', 1]);
  });

  test('one without fields is asked each time', () => {
    const silent: TextMapPropagator = {
      fields: () => [],
      inject: () => {},
      extract: (context, carrier, get) =>
        get.get(carrier, 'id') === undefined ? context : trace.setSpanContext(context, SPAN_CONTEXT),
    };
    expect(new Carrier(silent).extract({ id: 'x' }, reader).creation).toEqual(SPAN_CONTEXT);
  });

  test('one that throws passes its error on, to be reported', () => {
    const throwing: TextMapPropagator = {
      fields: () => ['traceparent'],
      inject: () => {
        throw new Error('inject');
      },
      extract: () => {
        throw new Error('extract');
      },
    };
    const carrier = new Carrier(throwing);
    expect(() => carrier.extract({ traceparent: TRACEPARENT }, reader)).toThrow('extract');
    expect(() => carrier.inject(ROOT_CONTEXT, SPAN_CONTEXT, false)).toThrow('inject');
  });

  test('a baggage propagator alone brings baggage and no creation context', () => {
    const carrier = new Carrier(new W3CBaggagePropagator());
    const { creation, context } = carrier.extract({ traceparent: TRACEPARENT, baggage: 'tenant=a' }, reader);
    expect(creation).toBeUndefined();
    expect(context && propagation.getBaggage(context)?.getEntry('tenant')?.value).toBe('a');
  });
});

describe('a context outside of the fields', () => {
  const other = { spanContext: { ...SPAN_CONTEXT, spanId: '1'.repeat(16) }, linkOnly: true };
  const withOther: MessageReader<Headers> = { ...reader, otherContext: () => other };

  test('is used where the fields say nothing', () => {
    expect(new Carrier(w3c()).extract({}, withOther)).toMatchObject({ creation: other.spanContext, linkOnly: true });
  });

  test('keeps the baggage of the fields', () => {
    const { creation, context } = new Carrier(w3c()).extract({ baggage: 'tenant=a' }, withOther);
    expect(creation).toBe(other.spanContext);
    expect(entries(context ?? ROOT_CONTEXT)).toHaveLength(1);
  });

  test('is not asked for where the fields have a context', () => {
    const asked = jest.fn(() => other);
    const carrier = new Carrier(w3c());
    expect(carrier.extract({ traceparent: TRACEPARENT }, { ...reader, otherContext: asked }).creation).toMatchObject(
      SPAN_CONTEXT,
    );
    expect(asked).not.toHaveBeenCalled();
  });
});

test.each([
  ['traceparent', true],
  ['TraceParent', true],
  ['baggage', true],
  ['b3', false],
])('%s is the propagator’s own: %s', (name, expected) => {
  expect(new Carrier(w3c()).owns(name)).toBe(expected);
});

function inUpperCase(inner: TextMapPropagator): TextMapPropagator {
  const upper = (field: string) => field.toUpperCase();
  return {
    fields: () => inner.fields().map(upper),
    inject: (context, carrier, set) =>
      inner.inject(context, carrier, { set: (target, key, value) => set.set(target, upper(key), value) }),
    extract: (context, carrier, get) =>
      inner.extract(context, carrier, {
        get: (source, key) => get.get(source, upper(key)),
        keys: (source) => get.keys(source),
      }),
  };
}

function withTenant() {
  const key = createContextKey('tenant');
  const inner = new W3CTraceContextPropagator();
  const propagator: TextMapPropagator = {
    fields: () => [...inner.fields(), 'tenant'],
    inject: (context, carrier, set) => inner.inject(context, carrier, set),
    extract: (context, carrier, get) => inner.extract(context, carrier, get).setValue(key, get.get(carrier, 'tenant')),
  };
  return { propagator, key };
}

/** Numbers from 0 to 1, the same in each run (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
