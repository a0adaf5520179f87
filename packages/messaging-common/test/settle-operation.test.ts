/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { SpanKind } from '@opentelemetry/api';
import type { Outcome } from '../src/operation';
import type { Settled } from '../src/settle-operation';
import { type Message, PROMISE, pause, Rig, reader } from './support';

let rig: Rig;

beforeEach(() => {
  rig = new Rig({ settleSpans: true });
});

afterEach(async () => {
  expect(rig.tracing.openSpans).toBe(0);
  await rig.tracing.stop();
});

async function use(...args: ConstructorParameters<typeof Rig>): Promise<void> {
  await rig.tracing.stop();
  rig = new Rig(...args);
}

function settle(settled: Settled, outcome?: Outcome, isBatch = false): void {
  rig.telemetry.startSettle(rig.plan('settle', { isBatch }), settled)?.end(outcome);
}

/** A sent message and its creation context. */
function delivered(message: Message = {}) {
  const sent = rig.sent(message);
  return { message: sent, creation: rig.telemetry.extract(sent, reader).creation };
}

const failure = (name: string) => ({ error: Object.assign(new Error('x'), { name }) });

test('there is no span where settle spans are off', async () => {
  await use({ settleSpans: false });
  expect(rig.telemetry.startSettle(rig.plan('settle'), { creations: [] })).toBeUndefined();
});

test('a settlement within the handler is a child of its span', () => {
  const { message, creation } = delivered();
  const process = rig.telemetry.startProcess(rig.plan('process'), message, reader);
  process?.handle(PROMISE, () => settle({ creations: [creation], message, reader }), undefined);
  expect(rig.text()).toBe(
    [
      'send orders PRODUCER',
      '└─ process orders CONSUMER  → send orders',
      '   └─ settle orders CLIENT  → send orders',
    ].join('\n'),
  );
});

test('a settlement outside of any handler belongs to the trace of its message', () => {
  settle({ creations: [delivered().creation] });
  expect(rig.text()).toBe(['send orders PRODUCER', '└─ settle orders CLIENT  → send orders'].join('\n'));
});

test('but not where messages have no say in parents', async () => {
  await use({ settleSpans: true, processParent: 'ambient' });
  settle({ creations: [delivered().creation] });
  expect(rig.span('settle orders').parentSpanContext).toBeUndefined();
});

test('a settlement of several messages has no parent of theirs, a count, and a link to each that is known', () => {
  settle({ count: 3, creations: [delivered().creation, undefined, delivered().creation] }, {}, true);
  const span = rig.span('settle orders');
  expect(span.parentSpanContext).toBeUndefined();
  expect(span.attributes['messaging.batch.message_count']).toBe(3);
  expect(span.links).toHaveLength(2);
  expect(span.kind).toBe(SpanKind.CLIENT);
});

test('the message is described where it is at hand', () => {
  const { message, creation } = delivered({ facts: { id: 'a' } });
  settle({ creations: [creation], message, reader });
  expect(rig.span('settle orders').attributes['messaging.message.id']).toBe('a');
});

describe('an answer that speaks of single messages', () => {
  test('puts failures on the links', () => {
    settle(
      { count: 2, creations: [delivered().creation, delivered().creation] },
      { messages: [undefined, failure('Gone')] },
      true,
    );
    expect(rig.span('settle orders').links.map(({ attributes }) => attributes)).toEqual([
      undefined,
      { 'error.type': 'Gone' },
    ]);
    expect(rig.span('settle orders').status.code).toBe(0);
  });

  test.each([
    ['all failed with one code', [failure('Gone'), failure('Gone')], 'Gone'],
    ['all failed with several codes', [failure('Gone'), failure('Throttled')], '_OTHER'],
    ['the first of two failed', [failure('Gone')], undefined],
    ['none is spoken of', [], undefined],
  ])('%s', (_, messages, type) => {
    settle({ count: 2, creations: [] }, { messages }, true);
    expect(rig.span('settle orders').attributes['error.type']).toBe(type);
  });
});

test('a failed call is a failure, and links stay', async () => {
  settle({ count: 1, creations: [delivered().creation] }, { error: new RangeError('x') }, true);
  expect(rig.span('settle orders').attributes['error.type']).toBe('RangeError');
  expect(rig.span('settle orders').links).toHaveLength(1);
  expect(Object.keys(await rig.counts('messaging.client.operation.duration'))).toContain(
    'memory settle settle orders RangeError',
  );
});

test('a settlement counts no messages', async () => {
  settle({ count: 2, creations: [] }, undefined, true);
  expect(await rig.counts('messaging.client.consumed.messages')).toEqual({});
});

test('a settlement in a left body does not belong to its message', async () => {
  let later: Promise<void> | undefined;
  for (const _ of rig.received([rig.sent()])) {
    await pause();
    later = pause().then(() => settle({ creations: [] }));
  }
  await later;
  expect(rig.span('settle orders').parentSpanContext).toBeUndefined();
});

test('a call that is over already has the time that it took', async () => {
  const tookMs = 200; // less than the process is old
  settle({ creations: [], tookMs }, undefined, true);
  const [seconds, nanoseconds] = rig.span('settle orders').duration;
  expect(seconds + nanoseconds / 1e9).toBeGreaterThanOrEqual(0.2);
  expect(seconds).toBeLessThan(20);
  const [recorded] = (await rig.tracing.metrics()).map(({ dataPoints }) => dataPoints[0]?.value);
  expect(recorded).toMatchObject({ count: 1 });
  expect((recorded as { min: number }).min).toBeGreaterThanOrEqual(0.2);
});

describe('a settlement that belongs to the trace of its message', () => {
  test('is there while a span of another trace is active, and links to it', async () => {
    const { creation } = delivered();
    await rig.tracing.inSpan('job', () => settle({ creations: [creation], home: creation }));
    expect(rig.text()).toBe(
      ['send orders PRODUCER', '└─ settle orders CLIENT  → send orders, job', 'job INTERNAL'].join('\n'),
    );
  });

  test('as a batch of one, too', async () => {
    const { creation } = delivered();
    await rig.tracing.inSpan('job', () => settle({ count: 1, creations: [creation], home: creation }, {}, true));
    expect(rig.text()).toContain('└─ settle orders CLIENT  → send orders, job');
  });

  test('is a child of the handler’s span, and of what the handler has active', async () => {
    const { message, creation } = delivered();
    const process = rig.telemetry.startProcess(rig.plan('process'), message, reader);
    await process?.handle(
      PROMISE,
      () => rig.tracing.inSpan('own', () => settle({ creations: [creation], home: creation })),
      undefined,
    );
    expect(rig.text()).toContain('   └─ own INTERNAL\n      └─ settle orders CLIENT  → send orders');
  });

  test('whose trace is none to follow has no parent there', () => {
    settle({ creations: [delivered().creation], home: undefined });
    expect(rig.span('settle orders').parentSpanContext).toBeUndefined();
  });
});
