/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  service: string;
  name: string;
  kind: string;
  attributes: Record<string, unknown>;
  links: { spanId: string }[];
}
interface Order {
  id: string;
  outcome?: string;
  deliveries: { topic: string; partition: number; offset: string }[];
}
const { verify } = require('../lib/verify.js') as {
  verify: (spans: Span[], orders: Order[], topic: string) => { name: string; problems: string[] }[];
};

const TOPICS = ['orders', 'orders.retry.1', 'orders.DLT'];

/** Two orders that were given up at once after one retry, and their relay. */
function goodRun() {
  const spans: Span[] = [];
  const orders = ['1', '2'].map((id): Order => {
    const traceId = `trace-${id}`;
    let parent = `request-${id}`;
    spans.push(span({ traceId, spanId: parent, service: 'shop', name: 'POST', kind: 'SERVER' }));
    TOPICS.forEach((topic, i) => {
      const own = `${topic}-${id}`;
      const attributes = {
        'messaging.system.name': 'kafka',
        'messaging.destination.name': topic,
        'messaging.destination.partition.id': '0',
        'kafka.offset': Number(id),
        ...(i > 0 ? { 'messaging.message.retry.count': i } : {}),
        ...(topic === 'orders.DLT' ? { 'messaging.dead_letter.source': 'orders' } : {}),
      };
      const handled = { traceId, spanId: own, parentSpanId: parent, attributes, kind: 'CONSUMER' };
      spans.push(span({ ...handled, service: 'billing', name: `process ${topic}` }));
      parent = own;
    });
    const deliveries = TOPICS.map((topic) => ({ topic, partition: 0, offset: id }));
    return { id, outcome: 'given up', deliveries };
  });
  const links = orders.map(({ id }) => ({ spanId: `request-${id}` }));
  spans.push(span({ traceId: 'r', spanId: 'r', service: 'relay', name: 'send orders', kind: 'CLIENT', links }));
  return { spans, orders };
}

function span(known: Partial<Span>): Span {
  return { traceId: '', spanId: '', service: '', name: '', kind: '', attributes: {}, links: [], ...known };
}

/** The checks that fail after something was broken. */
function failedAfter(breakIt: (run: ReturnType<typeof goodRun>, find: (spanId: string) => Span) => void): string[] {
  const run = goodRun();
  breakIt(run, (spanId) => run.spans.find((each) => each.spanId === spanId) as Span);
  return verify(run.spans, run.orders, 'orders').flatMap(({ name, problems }) => (problems.length > 0 ? [name] : []));
}

test('a run as it should be has no problem', () => {
  expect(failedAfter(() => {})).toEqual([]);
});

test.each<[string, Parameters<typeof failedAfter>[0]]>([
  [
    'every delivery has one span',
    ({ orders }) => orders[0]?.deliveries.push({ topic: 'orders', partition: 0, offset: '9' }),
  ],
  ['every delivery has one span', ({ orders }) => delete orders[0]?.outcome],
  ['every delivery has one span', ({ spans }, find) => spans.push({ ...find('orders.DLT-1'), spanId: 'again' })],
  [
    'one trace per order, from the request to the last handler',
    (_, find) => Object.assign(find('orders.DLT-1'), { traceId: 'other', parentSpanId: undefined }),
  ],
  [
    'one trace per order, from the request to the last handler',
    (_, find) => Object.assign(find('request-1'), { kind: 'CLIENT' }),
  ],
  ['attempts are counted', (_, find) => delete find('orders.retry.1-1').attributes['messaging.message.retry.count']],
  [
    'dead letters say where they died',
    (_, find) => delete find('orders.DLT-1').attributes['messaging.dead_letter.source'],
  ],
  [
    'dead letters say where they died',
    (_, find) => Object.assign(find('orders-1').attributes, { 'messaging.dead_letter.source': 'orders' }),
  ],
  ['the relay kept what the shop wrote, and links to it', (_, find) => find('r').links.pop()],
  ['the relay kept what the shop wrote, and links to it', (_, find) => Object.assign(find('r'), { kind: 'PRODUCER' })],
  ['no orphan span', (_, find) => Object.assign(find('r'), { parentSpanId: 'gone' })],
])('%s: noticed where it is not so', (name, breakIt) => {
  expect(failedAfter(breakIt)).toContain(name);
});
