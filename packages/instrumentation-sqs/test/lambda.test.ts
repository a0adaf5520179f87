/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { DeleteMessageCommand, SendMessageBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { logs } from '@opentelemetry/api-logs';
import { LoggerProvider } from '@opentelemetry/sdk-logs';
import {
  applyInstrumentation,
  deepFreeze,
  sqsEvent,
  startTracing,
  type Tracing,
  unregister,
} from '@otel-messaging/test-utils';
import { messageContext, processMessage, SqsInstrumentation, wrapSqsHandler } from '../src';
import { lines, newClient, newQueue, receive, shownTraces } from './sqs';

const instrumentation = new SqsInstrumentation();
applyInstrumentation(instrumentation, require);

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';
const SETTLEMENT = 'messaging.message.settlement';

let tracing: Tracing;
let client: SQSClient;
let QueueUrl: string;

beforeEach(async () => {
  tracing = startTracing([instrumentation]);
  client = newClient();
  QueueUrl = await newQueue(client);
});

afterEach(async () => {
  client.destroy();
  instrumentation.enable();
  instrumentation.setConfig({});
  await tracing.stop();
});

type SqsEvent = ReturnType<typeof sqsEvent>;

const tick = () => new Promise((resolve) => setImmediate(resolve));
const work = async () => {
  await tick();
  trace.getTracer('application').startSpan('work').end();
};
const shown = (...attributes: string[]) => shownTraces(tracing, ...attributes);

/** The event in which Lambda would hand the messages of the queue to a function; nothing of ours sees them on the way. */
async function nextEvent(count: number): Promise<SqsEvent> {
  instrumentation.disable();
  const messages: Awaited<ReturnType<typeof receive>> = [];
  while (messages.length < count) {
    const request = { MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All' as const] };
    messages.push(...(await receive(client, QueueUrl, request)));
  }
  instrumentation.enable();
  return sqsEvent(messages as never, QueueUrl.slice(QueueUrl.lastIndexOf('/') + 1));
}

async function eventOf(...bodies: string[]): Promise<SqsEvent> {
  for (const MessageBody of bodies) await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  return nextEvent(bodies.length);
}

describe('an SQS event', () => {
  test('has one span with links to all producers, and its records are handled in their traces', async () => {
    const handler = wrapSqsHandler(async ({ Records }: SqsEvent) => {
      for (const _ of Records) await work();
    });
    await handler(await eventOf('one', 'two'));
    expect(shown(SETTLEMENT, 'messaging.batch.message_count')).toBe(
      lines(`
        send orders PRODUCER
        └─ process orders CONSUMER {messaging.message.settlement=delete}  → send orders, process orders
           └─ work INTERNAL
        send orders PRODUCER
        └─ process orders CONSUMER {messaging.message.settlement=delete}  → send orders, process orders
           └─ work INTERNAL
        process orders CONSUMER {messaging.batch.message_count=2}  → send orders, send orders
      `),
    );
    expect(tracing.openSpans).toBe(0);
  });

  test('tells of its queue, and of each message', async () => {
    const handler = wrapSqsHandler(async ({ Records }: SqsEvent) => {
      for (const _ of Records) await work();
    });
    const event = await eventOf('one');
    await handler(event);
    const name = QueueUrl.slice(QueueUrl.lastIndexOf('/') + 1);
    const common = {
      'messaging.system.name': 'aws.sqs',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': name,
      'aws.sqs.queue.url': `https://sqs.us-east-1.amazonaws.com/000000000000/${name}`,
      'server.address': 'sqs.us-east-1.amazonaws.com',
      'server.port': 443,
    };
    const [batch, one] = tracing
      .spans()
      .filter((span) => span.name.startsWith('process'))
      .sort((a, b) => a.links.length - b.links.length);
    expect(batch!.attributes).toEqual({ ...common, 'messaging.batch.message_count': 1 });
    expect(one!.attributes).toEqual({
      ...common,
      'messaging.message.id': event.Records[0]!.messageId,
      'messaging.message.receive.latency': expect.any(Number),
      [SETTLEMENT]: 'delete',
    });
  });

  test('counts each message once, and measures its records', async () => {
    const handler = wrapSqsHandler(async ({ Records }: SqsEvent) => {
      for (const _ of Records) await work();
    });
    await handler(await eventOf('one', 'two'));
    const values = Object.fromEntries(
      (await tracing.metrics()).map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints[0]?.value]),
    );
    expect(values).toMatchObject({
      'messaging.client.consumed.messages': 2,
      'messaging.process.duration': { count: 2 },
      'messaging.message.queue.duration': { count: 2 },
    });
  });

  test('handled concurrently, each record keeps its own trace and its baggage', async () => {
    const send = (tenant: string) =>
      context.with(propagation.setBaggage(ROOT_CONTEXT, propagation.createBaggage({ tenant: { value: tenant } })), () =>
        client.send(new SendMessageCommand({ QueueUrl, MessageBody: tenant })),
      );
    await send('a');
    await send('b');
    const seen = new Map<string | undefined, unknown>();
    const handler = wrapSqsHandler(({ Records }: SqsEvent) =>
      Promise.all(
        Records.map(async ({ body }) => {
          await tick();
          seen.set(body, propagation.getActiveBaggage()?.getEntry('tenant')?.value);
        }),
      ),
    );
    await handler(await nextEvent(2));
    expect(Object.fromEntries(seen)).toEqual({ a: 'a', b: 'b' });
    expect(shown().match(/└─ process orders CONSUMER/g)).toHaveLength(2);
  });

  test('records named in batchItemFailures have failed, whatever their handling looked like', async () => {
    const handler = wrapSqsHandler(async ({ Records }: SqsEvent) => {
      const batchItemFailures: { itemIdentifier: string | undefined }[] = [];
      for (const { body, messageId } of Records) {
        await work();
        if (body === 'two') batchItemFailures.push({ itemIdentifier: messageId });
      }
      return { batchItemFailures };
    });
    const event = await eventOf('one', 'two');
    const { batchItemFailures } = await handler(event);
    expect(batchItemFailures).toHaveLength(1);
    expect(shown(SETTLEMENT)).toContain('process orders CONSUMER {messaging.message.settlement=delete}');
    expect(shown(SETTLEMENT)).toContain(
      'process orders CONSUMER !BatchItemFailure {messaging.message.settlement=retry}',
    );
    expect(shown(SETTLEMENT)).toMatch(/\nprocess orders CONSUMER {2}→ send orders, send orders$/);
    expect(tracing.spans().flatMap(({ events }) => events)).toEqual([]);
  });

  test('a record that is named without having been walked has a span all the same', async () => {
    const event = await eventOf('one', 'two');
    const handler = wrapSqsHandler(async (_: SqsEvent) => ({
      batchItemFailures: [{ itemIdentifier: event.Records[1]!.messageId }],
    }));
    await handler(event);
    expect(shown().match(/└─ process orders CONSUMER/g)).toHaveLength(1);
    expect(shown()).toContain('└─ process orders CONSUMER !BatchItemFailure  → send orders, process orders');
  });

  test('the error that a record threw wins over its name in batchItemFailures', async () => {
    const handler = wrapSqsHandler(async ({ Records }: SqsEvent) => {
      const results = await Promise.allSettled(
        Records.map(async () => {
          await tick();
          throw new RangeError('no stock');
        }),
      );
      return {
        batchItemFailures: results.flatMap(({ status }, i) =>
          status === 'rejected' ? [{ itemIdentifier: Records[i]!.messageId }] : [],
        ),
      };
    });
    await handler(await eventOf('one'));
    expect(shown(SETTLEMENT)).toBe(
      lines(`
        send orders PRODUCER
        └─ process orders CONSUMER !RangeError {messaging.message.settlement=retry}  → send orders, process orders
        process orders CONSUMER !BatchItemFailure  → send orders
      `),
    );
  });

  test.each([
    ['reversed', (records: SqsEvent['Records']) => records.reverse()],
    ['sorted', (records: SqsEvent['Records']) => records.sort((a, b) => (a.body! < b.body! ? 1 : -1))],
    ['taken out', (records: SqsEvent['Records']) => records.splice(0)],
  ])('records that the handler has %s in place are those that it names', async (_, change) => {
    const event = await eventOf('a', 'b', 'c');
    const { messageId, body } = event.Records[0]!;
    const handler = wrapSqsHandler(async ({ Records }: SqsEvent) => {
      for (const _ of change(Records)) await work();
      return { batchItemFailures: [{ itemIdentifier: messageId }] };
    });
    await handler(event);
    const handled = tracing.spans().filter(({ attributes }) => attributes[SETTLEMENT] !== undefined);
    const failed = handled.filter(({ attributes }) => attributes['error.type'] !== undefined);
    expect(failed.map(({ attributes }) => attributes['messaging.message.id'])).toEqual([messageId]);
    expect(failed[0]!.attributes[SETTLEMENT]).toBe('retry');
    expect(handled.map(({ attributes }) => attributes[SETTLEMENT]).sort()).toEqual(['delete', 'delete', 'retry']);
    expect(body).toBe('a');
  });

  test('records that the handler takes out one by one are told apart by what it names', async () => {
    const event = await eventOf('a', 'b');
    const handler = wrapSqsHandler(async ({ Records }: SqsEvent) => {
      const batchItemFailures: { itemIdentifier: string | undefined }[] = [];
      for (let record = Records.shift(); record !== undefined; record = Records.shift()) {
        const { body, messageId } = record;
        await processMessage(record, work);
        if (body === 'a') batchItemFailures.push({ itemIdentifier: messageId });
      }
      return { batchItemFailures };
    });
    await handler(event);
    expect(shown(SETTLEMENT)).toContain(
      'process orders CONSUMER !BatchItemFailure {messaging.message.settlement=retry}',
    );
    expect(shown(SETTLEMENT)).toContain('process orders CONSUMER {messaging.message.settlement=delete}');
  });

  test.each([
    ['an empty name', [{ itemIdentifier: '' }]],
    ['a null', [null]],
    ['another key', [{ id: 'a' }]],
  ])('with %s in batchItemFailures all of it comes again, and has failed', async (_, batchItemFailures) => {
    const handler = wrapSqsHandler(async (_: SqsEvent) => ({ batchItemFailures }));
    await handler(await eventOf('one', 'two'));
    expect(shown().match(/process orders CONSUMER !BatchItemFailures/g)).toHaveLength(3);
  });

  test('a handler that rejects fails the batch: its messages come again', async () => {
    const error = new RangeError('no stock');
    const handler = wrapSqsHandler(async ({ Records }: SqsEvent) => {
      for (const _ of Records) await work();
      throw error;
    });
    await expect(handler(await eventOf('one'))).rejects.toBe(error);
    expect(shown(SETTLEMENT)).toBe(
      lines(`
        send orders PRODUCER
        └─ process orders CONSUMER {messaging.message.settlement=retry}  → send orders, process orders
           └─ work INTERNAL
        process orders CONSUMER !RangeError  → send orders
      `),
    );
    expect(tracing.openSpans).toBe(0);
  });

  test('within a span of the invocation, that is the parent of the batch', async () => {
    const event = await eventOf('one');
    await tracing.inSpan('invocation', () => wrapSqsHandler(async (_: SqsEvent) => {})(event));
    expect(shown()).toContain('invocation INTERNAL\n└─ process orders CONSUMER  → send orders');
  });

  test('an AWSTraceHeader is followed where no attribute has a context', async () => {
    const event = await eventOf('one');
    const [record] = event.Records as unknown as { attributes: Record<string, string>; messageAttributes: object }[];
    record!.messageAttributes = {};
    const handler = wrapSqsHandler(async ({ Records }: SqsEvent) => {
      for (const _ of Records) await work();
    });
    await handler(event);
    expect(record!.attributes).toHaveProperty('AWSTraceHeader');
    expect(shown()).toContain('send orders PRODUCER\n└─ process orders CONSUMER  → send orders, process orders');
  });

  test.each([
    [
      'as text in another letter case',
      { Traceparent: { stringValue: `00-${TRACE_ID}-${SPAN_ID}-01`, dataType: 'String' } },
    ],
    [
      'as bytes',
      {
        traceparent: {
          binaryValue: Buffer.from(`00-${TRACE_ID}-${SPAN_ID}-01`).toString('base64'),
          dataType: 'Binary',
        },
      },
    ],
    [
      'in Datadog’s attribute',
      { _datadog: { stringValue: `{"traceparent":"00-${TRACE_ID}-${SPAN_ID}-01"}`, dataType: 'String' } },
    ],
  ])('a context %s is understood, and wins over AWSTraceHeader', async (_, messageAttributes) => {
    const event = await eventOf('one');
    Object.assign(event.Records[0]!, { messageAttributes });
    let active: string | undefined;
    const handler = wrapSqsHandler(async ({ Records }: SqsEvent) => {
      for (const _ of Records) active = trace.getActiveSpan()?.spanContext().traceId;
    });
    await handler(event);
    expect(active).toBe(TRACE_ID);
  });

  test('a notification of SNS in the body is understood', async () => {
    const MessageAttributes = { traceparent: { Type: 'String', Value: `00-${TRACE_ID}-${SPAN_ID}-01` } };
    const body = JSON.stringify({ Type: 'Notification', Message: 'one', MessageAttributes });
    const event = await eventOf(body);
    Object.assign(event.Records[0]!, { messageAttributes: {} });
    let active: string | undefined;
    const handler = wrapSqsHandler(async ({ Records }: SqsEvent) => {
      for (const _ of Records) active = trace.getActiveSpan()?.spanContext().traceId;
    });
    await handler(event);
    expect(active).toBe(TRACE_ID);
  });

  test('a frozen event is handled within the span of the batch; its records cannot be followed', async () => {
    const Entries = ['one', 'two'].map((MessageBody, i) => ({ Id: `m${i}`, MessageBody }));
    await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    const handler = wrapSqsHandler(async ({ Records }: SqsEvent) => {
      for (const _ of Records) await work();
    });
    await handler(deepFreeze(await nextEvent(2)));
    expect(shown()).toMatch(
      /\nprocess orders CONSUMER {2}→ create orders, create orders\n├─ work INTERNAL\n└─ work INTERNAL$/,
    );
  });

  test('a result that cannot be read is passed on, and ends the span', async () => {
    const result = {
      get batchItemFailures(): never {
        throw new Error('a hostile getter');
      },
    };
    expect(await wrapSqsHandler(async (_: SqsEvent) => result)(await eventOf('one'))).toBe(result);
    expect(tracing.openSpans).toBe(0);
  });
});

describe('a copy of a record', () => {
  type Records = SqsEvent['Records'];

  /** The traces of two records, handled each by `processMessage`; one of them has failed. */
  async function handled(recordsIn: (event: SqsEvent) => Iterable<Records[number]>): Promise<string> {
    const event = await eventOf('one', 'two');
    const failed = event.Records.find(({ body }) => body === 'two')!.messageId;
    const handler = wrapSqsHandler(async (event: SqsEvent) => {
      for (const record of recordsIn(event)) await processMessage(record, work);
      return { batchItemFailures: [{ itemIdentifier: failed }] };
    });
    await handler(event);
    const text = shown(SETTLEMENT);
    tracing.reset();
    return text;
  }

  test.each([
    ['by spread', ({ Records }: SqsEvent) => Array.from(Records.keys(), (i) => ({ ...Records[i]! }))],
    ['with the whole event', (event: SqsEvent) => structuredClone(event).Records],
    ['of its text', (event: SqsEvent) => (JSON.parse(JSON.stringify(event)) as SqsEvent).Records],
  ])('made %s is handled as the record is', async (_, recordsIn) => {
    expect(await handled(recordsIn)).toBe(
      lines(`
        send orders PRODUCER
        └─ process orders CONSUMER {messaging.message.settlement=delete}  → send orders, process orders
           └─ work INTERNAL
        send orders PRODUCER
        └─ process orders CONSUMER !BatchItemFailure {messaging.message.settlement=retry}  → send orders, process orders
           └─ work INTERNAL
        process orders CONSUMER  → send orders, send orders
      `),
    );
  });

  test('is no second message while the record itself is walked', async () => {
    function* copies({ Records }: SqsEvent) {
      for (const record of Records) yield { ...record };
    }
    expect(await handled(copies)).toBe(await handled(({ Records }) => Records));
  });

  test('has the context of the record', async () => {
    const found: unknown[] = [];
    const handler = wrapSqsHandler(async ({ Records }: SqsEvent) => {
      for (const record of Records) {
        await tick();
        found.push(trace.getSpan(messageContext({ ...record })) === trace.getActiveSpan());
      }
    });
    await handler(await eventOf('one'));
    expect(found).toEqual([true]);
  });

  test('is not taken for another record whose receipt is the same, as in sample events', async () => {
    const event = await eventOf('one', 'two');
    for (const record of event.Records as { receiptHandle?: string }[]) record.receiptHandle = 'MessageReceiptHandle';
    const handler = wrapSqsHandler(async (event: SqsEvent) => {
      for (const record of structuredClone(event).Records) await processMessage(record, work);
    });
    await handler(event);
    expect(shown().match(/send orders PRODUCER\n└─ process orders CONSUMER/g)).toHaveLength(2);
  });
});

describe('a record of an event whose handler is not wrapped', () => {
  const recordOf = async (body: string) => (await eventOf(body)).Records[0]!;

  test('has its process span from processMessage, in the trace of its producer', async () => {
    const record = await recordOf('one');
    await processMessage(record, work);
    expect(shown()).toBe(
      lines(`
        send orders PRODUCER
        └─ process orders CONSUMER  → send orders
           └─ work INTERNAL
      `),
    );
    const { attributes } = tracing.spans().find(({ name }) => name.startsWith('process'))!;
    expect(attributes).toMatchObject({
      'messaging.message.id': record.messageId,
      'messaging.message.receive.latency': expect.any(Number),
    });
  });

  test('has its creation context from messageContext, also while the instrumentation is off', async () => {
    const record = await recordOf('one');
    const { spanId } = tracing.spans()[0]!.spanContext();
    expect(trace.getSpanContext(messageContext(record))?.spanId).toBe(spanId);
    instrumentation.disable();
    expect(trace.getSpanContext(messageContext({ ...record }))?.spanId).toBe(spanId);
  });

  test('that cannot be read is handled all the same', async () => {
    const record = {
      get eventSource(): never {
        throw new Error('a hostile getter');
      },
    };
    expect(processMessage(record, () => 'handled')).toBe('handled');
    expect(messageContext(record)).toBe(context.active());
    await tracing.stop().catch(() => {});
    tracing = startTracing([instrumentation]);
  });
});

test('a record that the function deletes itself says so, whatever the answer is', async () => {
  const event = await eventOf('one', 'two');
  const handler = wrapSqsHandler(async ({ Records }: SqsEvent) => {
    for (const { body, receiptHandle: ReceiptHandle } of Records) {
      await tick();
      if (body === 'one') await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
    throw new RangeError('no stock');
  });
  await expect(handler(event)).rejects.toThrow('no stock');
  const settled = tracing.spans().filter(({ attributes }) => attributes[SETTLEMENT] !== undefined);
  const settlements = settled.map(({ attributes }) => [attributes['messaging.message.id'], attributes[SETTLEMENT]]);
  const expected = event.Records.map(({ body, messageId }) => [messageId, body === 'one' ? 'delete' : 'retry']);
  expect(settlements.sort()).toEqual(expected.sort());
});

describe('a handler', () => {
  test('that throws at once throws at once, the same error', async () => {
    const error = new RangeError('no stock');
    const handler = wrapSqsHandler((_: SqsEvent): void => {
      throw error;
    });
    const event = await eventOf('one');
    expect(() => handler(event)).toThrow(error);
    expect(shown()).toContain('process orders CONSUMER !RangeError  → send orders');
    expect(tracing.openSpans).toBe(0);
  });

  test('with a callback ends with it, once, and has its own arguments', async () => {
    const event = await eventOf('one');
    const contextOfRuntime = { functionName: 'orders' };
    const answers: unknown[][] = [];
    const handler = wrapSqsHandler((event: SqsEvent, runtime: object, callback: (...answer: unknown[]) => void) => {
      expect(runtime).toBe(contextOfRuntime);
      setImmediate(() => {
        callback(null, { batchItemFailures: [{ itemIdentifier: event.Records[0]!.messageId }] });
        callback(null, 'again');
      });
    });
    await new Promise<void>((resolve) => {
      handler(event, contextOfRuntime, (...answer: unknown[]) => {
        answers.push(answer);
        if (answers.length === 2) resolve();
      });
      expect(tracing.openSpans).toBe(1);
    });
    expect(answers).toHaveLength(2);
    expect(shown()).toContain('process orders CONSUMER !BatchItemFailure');
    expect(tracing.openSpans).toBe(0);
  });

  test('with a callback that gets an error has failed', async () => {
    const event = await eventOf('one');
    const handler = wrapSqsHandler((_: SqsEvent, __: object, callback: (error: Error) => void) => {
      callback(new RangeError('no stock'));
    });
    const error = await new Promise((resolve) => handler(event, {}, resolve));
    expect(error).toEqual(new RangeError('no stock'));
    expect(shown()).toContain('process orders CONSUMER !RangeError  → send orders');
  });

  test('whose callback never comes is over when the next event comes', async () => {
    const handler = wrapSqsHandler((_event: unknown, _context: object, _callback: () => void) => {});
    handler(await eventOf('one'), {}, () => {});
    expect(tracing.openSpans).toBe(1);
    handler({}, {}, () => {});
    expect(tracing.openSpans).toBe(0);
  });

  test('that is none of a function is given back, and one that is wrapped is wrapped once', () => {
    expect(wrapSqsHandler(undefined as never)).toBeUndefined();
    const handler = wrapSqsHandler(async () => {});
    expect(wrapSqsHandler(handler)).toBe(handler);
  });

  test('looks like the original to the runtime, down to the marks of a streaming one', () => {
    const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
    const original = Object.assign(async function stream(_event: unknown, _stream: unknown, _context: unknown) {}, {
      [STREAMING]: 'response',
    });
    const wrapped = wrapSqsHandler(original);
    expect(wrapped.name).toBe('stream');
    expect(wrapped).toHaveLength(3);
    expect(wrapped[STREAMING]).toBe('response');
  });

  test.each([[undefined], [null], ['text'], [{}], [{ Records: [] }], [{ Records: [null] }], [{ Records: 'x' }]])(
    'of the event %p runs as it is',
    async (event) => {
      const handler = wrapSqsHandler(async (received: unknown) => received);
      expect(await handler(event)).toBe(event);
      expect(tracing.spans()).toEqual([]);
    },
  );

  test('of another service’s event runs as it is', async () => {
    const event = { Records: [{ eventSource: 'aws:s3' }] };
    expect(await wrapSqsHandler(async (received: unknown) => received)(event)).toBe(event);
    expect(tracing.spans()).toEqual([]);
  });

  test('runs without an SDK, and when switched off', async () => {
    const event = await eventOf('one');
    const handler = wrapSqsHandler((received: unknown) => received);
    instrumentation.disable();
    expect(handler(event)).toBe(event);
    instrumentation.enable();
    tracing.reset();
    unregister();
    expect(handler(event)).toBe(event);
    expect(tracing.spans()).toEqual([]);
  });
});

describe('the export before the process is frozen', () => {
  const processor = { onStart: () => {}, onEnd: () => {}, shutdown: async () => {}, forceFlush: async () => {} };

  async function tracingWith(forceFlush: () => Promise<void>): Promise<void> {
    await tracing.stop();
    tracing = startTracing([instrumentation], { processors: [{ ...processor, forceFlush }] });
  }

  test('is over before the answer', async () => {
    let isExported = false;
    await tracingWith(async () => {
      await tick();
      isExported = true;
    });
    await wrapSqsHandler(async (_: SqsEvent) => {})(await eventOf('one'));
    expect(isExported).toBe(true);
  });

  test('is that of log records, too', async () => {
    let exports = 0;
    const forceFlush = async () => void exports++;
    const logProcessor = { onEmit: () => {}, shutdown: async () => {}, forceFlush };
    logs.setGlobalLoggerProvider(new LoggerProvider({ processors: [logProcessor] }));
    await wrapSqsHandler(async (_: unknown) => {})({});
    logs.disable();
    expect(exports).toBe(1);
  });

  test('is over before the callback, after an event that has no messages as well', async () => {
    let isExported = false;
    await tracingWith(async () => {
      await tick();
      isExported = true;
    });
    const handler = wrapSqsHandler((_: unknown, __: object, callback: () => void) => callback());
    await new Promise<void>((resolve) => handler({}, {}, resolve));
    expect(isExported).toBe(true);
  });

  test('that does not end is waited for as long as configured, and by one event only', async () => {
    instrumentation.setConfig({ lambdaFlushMs: 150 });
    let finish = () => {};
    await tracingWith(() => new Promise((resolve) => (finish = resolve)));
    const handler = wrapSqsHandler(async (_: unknown) => 'answer');
    expect(await handler({})).toBe('answer');
    const startedMs = performance.now();
    for (let i = 0; i < 50; i++) await handler({});
    expect(performance.now() - startedMs).toBeLessThan(50 * 100);
    finish();
    await tick();
  });

  test('waits for no longer than the function has time', async () => {
    instrumentation.setConfig({ lambdaFlushMs: 60_000 });
    let finish = () => {};
    await tracingWith(() => new Promise((resolve) => (finish = resolve)));
    const handler = wrapSqsHandler(async (_event: unknown, _context: unknown) => 'answer');
    expect(await handler({}, { getRemainingTimeInMillis: () => 200 })).toBe('answer');
    finish();
    await tick();
    await tracing.stop().catch(() => {});
    tracing = startTracing([instrumentation]);
  });

  test('that fails is not the function’s failure', async () => {
    await tracingWith(async () => {
      throw new Error('no collector');
    });
    expect(await wrapSqsHandler(async (_: unknown) => 'answer')({})).toBe('answer');
    tracing = startTracing([instrumentation]);
  });

  test('is left to whoever has a span around the handler', async () => {
    let exports = 0;
    await tracingWith(async () => {
      exports++;
    });
    await tracing.inSpan('invocation', () => wrapSqsHandler(async (_: unknown) => {})({}));
    expect(exports).toBe(0);
  });
});
