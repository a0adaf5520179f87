/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

const { verify } = require('../lib/verify.js') as { verify(...args: unknown[]): Check[] };

interface Check {
  readonly name: string;
  readonly problems: readonly string[];
}

interface Span {
  spanId: string;
  parentSpanId?: string;
  traceId: string;
  service: string;
  name: string;
  kind: string;
  startMs: number;
  endMs: number;
  attributes: Record<string, unknown>;
}

const TRACE = 'one trace per order, from the request to the mail';
const ONCE = 'one publish per order, however long it waited';
const LONG = 'a publish that waited for the outage to end is as long as it waited';
const MAIL = 'the mail is sent within the handling of the order';
const ORPHANS = 'no orphan span';

/** One order that waited for a second. */
function goodSpans(): Span[] {
  const message = { 'messaging.message.id': 'O-1' };
  const span = (spanId: string, parentSpanId: string | undefined, service: string, kind: string, times: number[]) => ({
    spanId,
    parentSpanId,
    traceId: 't',
    service,
    name: kind,
    kind,
    startMs: times[0] as number,
    endMs: times[1] as number,
    attributes: kind === 'PRODUCER' || kind === 'CONSUMER' ? message : {},
  });
  return [
    span('request', undefined, 'shop', 'SERVER', [0, 5]),
    span('publish', 'request', 'shop', 'PRODUCER', [1, 1001]),
    span('consume', 'publish', 'mailer', 'CONSUMER', [1002, 1050]),
    span('call', 'consume', 'mailer', 'CLIENT', [1020, 1040]),
    span('mail', 'call', 'shop', 'SERVER', [1022, 1038]),
  ];
}

function failing(change: (spans: Span[]) => Span[]): string[] {
  return verify(change(goodSpans()), [{ id: 'O-1', waitedMs: 1000 }])
    .filter(({ problems }) => problems.length > 0)
    .map(({ name }) => name);
}

const changed = (id: string, change: Partial<Span>) => (spans: Span[]) =>
  spans.map((span) => (span.spanId === id ? { ...span, ...change } : span));

test('good spans pass', () => expect(failing((spans) => spans)).toEqual([]));

test.each<[string, (spans: Span[]) => Span[], string[]]>([
  ['a publish in the trace of the reconnect', changed('publish', { traceId: 'other' }), [TRACE]],
  ['a publish that is a root', changed('publish', { parentSpanId: undefined }), [TRACE]],
  [
    'a second publish',
    (spans) => [...spans, { ...(spans[1] as Span), spanId: 'again', parentSpanId: 'request' }],
    [ONCE],
  ],
  ['a publish as long as its sending', changed('publish', { startMs: 990 }), [LONG]],
  ['a handling that ends with the method', changed('consume', { endMs: 1003 }), [MAIL]],
  ['no handling', (spans) => spans.slice(0, 2), [MAIL]],
  ['a parent that nobody recorded', changed('mail', { parentSpanId: 'unknown' }), [ORPHANS]],
])('%s fails', (_, change, expected) => expect(failing(change)).toEqual(expected));
