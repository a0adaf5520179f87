/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { trace } from '@opentelemetry/api';
import { applyInstrumentation, sqsEvent, startTracing, type Tracing } from '@otel-messaging/test-utils';
import * as ours from '../src';

/** Handlers within handlers, second copies of the package, large events, and answers that come late. */

const instrumentation = new ours.SqsInstrumentation();
applyInstrumentation(instrumentation, require);

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SETTLEMENT = 'messaging.message.settlement';

let tracing: Tracing;
let flushes: (() => Promise<void>)[];

beforeEach(() => {
  flushes = [];
  const processors = [0, 1].map((i) => ({
    onStart: () => {},
    onEnd: () => {},
    shutdown: async () => {},
    forceFlush: async () => flushes[i]?.(),
  }));
  tracing = startTracing([instrumentation], { processors });
});

afterEach(() => tracing.stop());

type Event = ReturnType<typeof sqsEvent>;
type Callback = (error: unknown, value?: unknown) => void;

function eventOf(count: number): Event {
  const StringValue = `00-${TRACE_ID}-b7ad6b7169203331-01`;
  const messages = Array.from({ length: count }, (_, i) => ({
    MessageId: `m${i}`,
    ReceiptHandle: `receipt-${i}`,
    Body: `body ${i}`,
    MessageAttributes: { traceparent: { DataType: 'String', StringValue } },
  }));
  return sqsEvent(messages, 'orders');
}

const tick = () => new Promise((resolve) => setImmediate(resolve));
const walk = async ({ Records }: Event) => {
  for (const _ of Records) await tick();
};
/** Links and settlement of each, the batch's last. */
const spans = () =>
  tracing
    .spans()
    .map(({ attributes, links }) => [links.length, attributes[SETTLEMENT]])
    .sort(([, one], [, other]) => Number(one === undefined) - Number(other === undefined));

async function counted(): Promise<unknown> {
  const metrics = await tracing.metrics();
  const consumed = metrics.find(({ descriptor }) => descriptor.name === 'messaging.client.consumed.messages');
  return consumed?.dataPoints.map(({ value }) => value);
}

/** As an application has it that bundles the package, beside a layer that has it too. */
function anotherCopy(): typeof ours {
  let copy: typeof ours | undefined;
  jest.isolateModules(() => {
    copy = require('../src');
  });
  return copy as typeof ours;
}

test.each([
  ['this copy', () => ours],
  ['another copy', anotherCopy],
])('a handler that %s has wrapped within another one is traced once', async (_, copy) => {
  const inner = copy().wrapSqsHandler(walk);
  const handler = ours.wrapSqsHandler((event: Event) => inner({ ...event }));
  const event = eventOf(2);
  await handler(event);
  expect(spans()).toEqual([
    [2, 'delete'],
    [2, 'delete'],
    [2, undefined],
  ]);
  expect(await counted()).toEqual([2]);
  await handler(event); // the same once more is another event
  expect(await counted()).toEqual([4]);
});

describe('the helpers of another copy, which has no instrumentation', () => {
  test('handle messages that this one has seen', async () => {
    const { processMessage, messageContext } = anotherCopy();
    const handler = ours.wrapSqsHandler(async ({ Records }: Event) => {
      expect(trace.getSpanContext(messageContext(Records[0]!))?.traceId).toBe(TRACE_ID);
      await processMessage(structuredClone(Records[0]!), async () => {
        await tick();
        expect(trace.getActiveSpan()?.spanContext().traceId).toBe(TRACE_ID);
      });
    });
    await handler(eventOf(1));
    expect(spans()).toEqual([
      [2, 'delete'],
      [1, undefined],
    ]);
    expect(await counted()).toEqual([1]);
  });

  test('wrap handlers for the instrumentation of this one', async () => {
    await anotherCopy().wrapSqsHandler(walk)(eventOf(1));
    expect(spans()).toEqual([
      [2, 'delete'],
      [1, undefined],
    ]);
  });
});

test('copies of the records of a large event are known to its end', async () => {
  const count = 1500;
  const handler = ours.wrapSqsHandler(async ({ Records }: Event) => {
    const { failed } = await ours.processBatch(structuredClone(Records), ({ messageId }) => {
      if (messageId === 'm0') throw new RangeError('no stock');
    });
    return { batchItemFailures: failed.map(({ message }) => ({ itemIdentifier: message.messageId })) };
  });
  await handler(eventOf(count));
  expect(spans()).toHaveLength(count + 1);
  expect(spans().filter(([, settlement]) => settlement === 'delete')).toHaveLength(count - 1);
  const failed = tracing.spans().filter(({ status }) => status.code === 2);
  expect(failed.map(({ attributes }) => [attributes['error.type'], attributes[SETTLEMENT]])).toEqual([
    ['RangeError', 'retry'],
  ]);
  expect(await counted()).toEqual([count]);
});

const CALLBACK_HANDLERS: [string, (...args: never[]) => void][] = [
  ['among rest parameters', (...[, , callback]: [Event, unknown, Callback]) => void setTimeout(callback, 20, 'no')],
  [
    'with a default',
    (_event: Event, _context = {}, callback: Callback = () => {}) => void setTimeout(callback, 20, 'no'),
  ],
  [
    'among the arguments',
    function () {
      // biome-ignore lint/complexity/noArguments: that is what it is about
      setTimeout(arguments[2], 20, 'no');
    },
  ],
];

test.each(CALLBACK_HANDLERS)('a callback that is found %s tells how it went', async (_, handler) => {
  const wrapped = ours.wrapSqsHandler(handler as (event: Event, context: object, callback: Callback) => void);
  const error = await new Promise((resolve) => void wrapped(eventOf(1), {}, resolve));
  expect(error).toBe('no');
  const [batch] = tracing.spans();
  expect(batch?.attributes['error.type']).toBe('_OTHER');
  expect(batch?.duration[1]).toBeGreaterThan(15_000_000);
});

test.each([0, 1])('an export of which part %d fails at once is waited for all the same', async (failing) => {
  const exported: string[] = [];
  flushes[failing] = () => Promise.reject(new Error('refused'));
  flushes[1 - failing] = async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    exported.push('spans');
  };
  await ours.wrapSqsHandler(walk)(eventOf(1));
  expect(exported).toEqual(['spans']);
});
