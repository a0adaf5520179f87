/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

const { verify } = require('../lib/verify.js') as { verify(...args: unknown[]): Check[] };

interface Check {
  readonly name: string;
  readonly problems: readonly string[];
}

const NAMES = { BILLING_QUEUE: 'billing', DEAD_LETTER_QUEUE: 'dead', RETRY_QUEUE: 'retry' };
const ORDERS = [{ id: 'R-1', outcome: 'given up', deliveries: ['billing', 'billing', 'dead'] }];

interface Span {
  spanId: string;
  parentSpanId?: string;
  traceId: string;
  service: string;
  name: string;
  kind: string;
  startMs: number;
  attributes: Record<string, unknown>;
}

/** As they are when all is well, by a word each. */
function goodSpans(): Record<'request' | 'publish' | 'first' | 'second' | 'passOn' | 'dead', Span> {
  const span = (spanId: string, parentSpanId: string | undefined, kind: string, destination: string, more = {}) => ({
    spanId,
    parentSpanId,
    traceId: 't',
    service: spanId === 'request' || spanId === 'publish' ? 'shop' : 'billing',
    name: `${kind} ${destination}`,
    kind,
    startMs: 0,
    attributes: { 'messaging.message.id': 'R-1', 'messaging.destination.name': destination, ...more },
  });
  const retry = (count: number) => ({ 'messaging.message.retry.count': count });
  const died = { 'messaging.dead_letter.source': 'billing', 'messaging.dead_letter.reason': 'rejected' };
  return {
    request: { ...span('request', undefined, 'SERVER', ''), attributes: {} },
    publish: span('publish', 'request', 'PRODUCER', 'billing'),
    first: span('first', 'publish', 'CONSUMER', 'billing'),
    second: { ...span('second', 'publish', 'CONSUMER', 'billing', retry(1)), startMs: 1 },
    passOn: span('passOn', 'second', 'PRODUCER', 'dead'),
    dead: { ...span('dead', 'passOn', 'CONSUMER', 'dead', { ...retry(1), ...died }), startMs: 2 },
  };
}

type Spans = ReturnType<typeof goodSpans>;

function failing(change: (spans: Spans) => void, orders = ORDERS): string[] {
  const spans = goodSpans();
  change(spans);
  const checks = verify(Object.values(spans), orders, NAMES);
  return checks.filter(({ problems }) => problems.length > 0).map(({ name }) => name);
}

const DELIVERIES = 'every delivery has one span';
const TRACE = 'one trace per order, from the request to the last handler';
const ATTEMPTS = 'attempts are counted';
const DEATHS = 'dead letters say where they died, and why';
const ORPHANS = 'no orphan span';

test('good spans pass', () => expect(failing(() => {})).toEqual([]));

test.each<[string, (spans: Spans) => void, string[]]>([
  ['a delivery without a span', (spans) => void delete (spans as Partial<Spans>).dead, [DELIVERIES]],
  ['a trace that is broken', ({ dead }) => Object.assign(dead, { traceId: 'u', parentSpanId: undefined }), [TRACE]],
  ['a trace without its request', (spans) => void delete (spans as Partial<Spans>).request, [TRACE, ORPHANS]],
  [
    'an attempt that is not counted',
    ({ second }) =>
      Object.assign(second, { attributes: { ...second.attributes, 'messaging.message.retry.count': undefined } }),
    [ATTEMPTS],
  ],
  [
    'a death that is not told',
    ({ dead }) =>
      Object.assign(dead, { attributes: { ...dead.attributes, 'messaging.dead_letter.source': undefined } }),
    [DEATHS],
  ],
  [
    'a death of somebody alive',
    ({ second }) => Object.assign(second.attributes, { 'messaging.dead_letter.source': 'billing' }),
    [DEATHS],
  ],
  ['a parent that nobody recorded', ({ passOn }) => Object.assign(passOn, { parentSpanId: 'x' }), [ORPHANS]],
])('%s is noticed', (_, change, expected) => expect(failing(change)).toEqual(expected));

test('an order that is not done is noticed', () => {
  expect(failing(() => {}, [{ ...ORDERS[0], outcome: undefined } as never])).toEqual([DELIVERIES]);
});
