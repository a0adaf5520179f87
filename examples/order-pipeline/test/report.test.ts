/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { goodRun, SERVICES, type TestOrder, type TestSpan } from './pipeline-spans';

type Run = { title: string; spans: TestSpan[]; orders: TestOrder[] };
const report = require('../lib/report.js');
const { pageOf } = require('../lib/page.js');
const { paintFor } = require('../lib/paint.js');
const { connectedness } = require('../lib/compare.js');
const { verify } = require('../lib/verify.js');

const plain = paintFor({ isTTY: false });
const run = (): Run => ({ title: 'otel-messaging', ...goodRun() });

/** The run as it looks when no context crosses Kafka: a new trace from there on, with a link back. */
function brokenAtKafka(): Run {
  const broken = run();
  for (const order of [1, 2, 3]) {
    const traceId = String(order).padStart(32, '0');
    const first = broken.spans.find((span) => span.traceId === traceId && span.service === 'payments')!;
    first.links = [{ traceId, spanId: first.parentSpanId!, attributes: {} }];
    first.parentSpanId = undefined;
    for (const span of broken.spans) {
      if (span.traceId === traceId && span.startMs >= first.startMs) span.traceId = `${order}`.repeat(32);
    }
  }
  return broken;
}

test('the waterfall shows queues as gaps and fits 120 columns', () => {
  const shown = report.ordersWithSpans(run()).at(-1);
  const lines: string[] = report.waterfallOf(shown, plain).split('\n');
  expect(lines.filter((line) => line.includes('░') && line.includes('waits in'))).toHaveLength(6);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(120);
  expect(lines.join('\n')).toMatch(/^shipping .*consume shop:order\.paid:shipping ↩ +CONSUMER +\+106 ms +15\.0 ms +█/m);
});

test('an order that is given up is shown before one that is only retried', () => {
  const { orders } = goodRun();
  expect(report.mostEventful(orders).id).toBe('A-3');
  expect(report.mostEventful(orders.slice(0, 2)).id).toBe('A-2');
});

test('the table has a line for every order', () => {
  const lines: string[] = report.orderTable(report.ordersWithSpans(run()), plain).split('\n');
  expect(lines.map((line) => line.split(/ {2,}/).slice(0, 7).join(' | '))).toEqual([
    'order | outcome | attempts | traces | spans | services | hops',
    'A-1 | shipped | 1 | 1 | 8 | 4 | 3',
    'A-2 | shipped | 2 | 1 | 9 | 4 | 4',
    'A-3 | dead-lettered | 3 | 1 | 11 | 5 | 6',
  ]);
});

test('a failed check shows its problems, the first of them when there are many', () => {
  const text = report.checkList(
    [{ name: 'no orphan span', problems: Array.from({ length: 11 }, (_, i) => `p${i}`) }],
    plain,
  );
  expect(text.split('\n')).toEqual([
    '✗ no orphan span',
    ...Array.from({ length: 8 }, (_, i) => `    p${i}`),
    '    and 3 more',
  ]);
});

test('a whole run is connected at every hop', () => {
  const { spans, orders } = run();
  expect(connectedness(spans, orders)).toMatchObject({ whole: 3, meanPieces: 1, mixed: 0, orphans: 0 });
  expect(
    connectedness(spans, orders).hops.map(({ connected, of }: { connected: number; of: number }) => [connected, of]),
  ).toEqual([
    [3, 3],
    [3, 3],
    [3, 3],
    [1, 1],
  ]);
});

test('a trace that breaks at Kafka is counted as broken there, and as linked if it is', () => {
  const { spans, orders } = brokenAtKafka();
  const figures = connectedness(spans, orders);
  expect(figures).toMatchObject({ whole: 0, meanPieces: 2 });
  expect(figures.hops[0]).toMatchObject({ connected: 3 });
  expect(figures.hops[1]).toMatchObject({ connected: 0, byLink: 3, of: 3 });
  expect(figures.hops[2]).toMatchObject({ connected: 3 });
});

test('two runs stand side by side, one of them without any span', () => {
  const text = report.comparison([{ ...run(), title: 'without', spans: [] }, run()], plain);
  expect(text).toMatch(/orders with one whole trace +0 of 3 +3 of 3/);
  expect(text).toMatch(/orphan spans +– +0/);
});

test('the page holds everything and asks for nothing', () => {
  const page: string = pageOf({ run: run(), checks: verify(run().spans, run().orders, SERVICES), selected: 'A-3' });
  expect(page).not.toMatch(/<!-- (STYLE|DATA|SCRIPT) -->/);
  expect(page).not.toMatch(/(?:src|href)=|@import|url\(/);
});

test('text of a span cannot end the script that holds it', () => {
  const hostile = run();
  hostile.spans[0]!.name = '</script><script>alert(1)</script>';
  const page: string = pageOf({ run: hostile, checks: [], selected: 'A-1' });
  expect(page).not.toContain('alert(1)</script>');
  expect(page).toContain('\\u003c/script>');
});
