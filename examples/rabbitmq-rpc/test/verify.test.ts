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
  attributes: Record<string, unknown>;
}

const CALLS = ['prices', 'taxes', 'stock'];

/** One question with its three calls, each of four spans. */
function goodSpans(): Span[] {
  const request = { spanId: 'request', traceId: 't', service: 'shop', name: 'GET', kind: 'SERVER', attributes: {} };
  const calls = CALLS.flatMap((call) =>
    ['PRODUCER', 'CONSUMER', 'PRODUCER', 'CONSUMER'].map((kind, i) => ({
      spanId: `${call}${i}`,
      parentSpanId: i === 0 ? 'request' : `${call}${i - 1}`,
      traceId: 't',
      service: call,
      name: i < 2 ? `publish ${call}` : 'publish',
      kind,
      attributes: { 'messaging.message.conversation_id': call },
    })),
  );
  return [request, ...calls];
}

function failing(change: (spans: Span[]) => Span[] | undefined): string[] {
  const spans = goodSpans();
  const checks = verify(change(spans) ?? spans, [{ name: 'apple' }]);
  return checks.filter(({ problems }) => problems.length > 0).map(({ name }) => name);
}

const SEEN = 'every call was seen';
const CHAIN = 'a call is a request, its handling, the reply, its handling, each below the one before';
const TRACE = 'one trace per question, whatever it asks of others';
const NAMES = "names that the broker makes up are in no span's name";
const ORPHANS = 'no orphan span';

const changed = (id: string, change: Partial<Span>) => (spans: Span[]) =>
  spans.map((span) => (span.spanId === id ? { ...span, ...change } : span));
const without = (id: string) => (spans: Span[]) => spans.filter(({ spanId }) => !spanId.startsWith(id));

test('good spans pass', () => expect(failing((spans) => spans)).toEqual([]));

test.each<[string, (spans: Span[]) => Span[], string[]]>([
  ['a call without spans', without('stock'), [SEEN]],
  ['a question without a trace', without('request'), [SEEN, ORPHANS]],
  ['a reply that nobody handled', without('stock3'), [CHAIN]],
  ['a reply beside its request', changed('stock2', { parentSpanId: 'request' }), [CHAIN]],
  ['a call in a trace of its own', changed('taxes0', { traceId: 'u', parentSpanId: undefined }), [CHAIN]],
  ['a name of a channel in a span name', changed('taxes2', { name: 'publish amq.rabbitmq.reply-to.x' }), [NAMES]],
  ['a parent that nobody recorded', changed('prices0', { parentSpanId: 'x' }), [ORPHANS]],
])('%s is noticed', (_, change, expected) => expect(failing(change)).toEqual(expected));

test('a second question in the trace of the first is noticed', () => {
  const two = goodSpans().flatMap((span) => [
    span,
    {
      ...span,
      spanId: `${span.spanId}-2`,
      parentSpanId: span.parentSpanId && `${span.parentSpanId}-2`,
      attributes: { 'messaging.message.conversation_id': `${span.attributes['messaging.message.conversation_id']}-2` },
    },
  ]);
  const second = two.map((span) => (span.spanId === 'request-2' ? { ...span, attributes: {} } : span));
  const checks = verify(second, [{ name: 'apple' }, { name: 'book' }]);
  expect(checks.find(({ name }) => name === TRACE)?.problems.length).toBeGreaterThan(0);
});
