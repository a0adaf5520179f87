/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { B3Propagator } from '@opentelemetry/propagator-b3';
import { applyInstrumentation, deepFreeze, startTracing, type Tracing } from '@otel-messaging/test-utils';
import { SqsInstrumentation } from '../src';
import { lines, newClient, newQueue, ownAttributes, receive, remove, shownTraces, stringAttributes } from './sqs';

const instrumentation = new SqsInstrumentation();
applyInstrumentation(instrumentation, require);

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';
const TRACEPARENT = `00-${TRACE_ID}-${SPAN_ID}-01`;

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
  instrumentation.setConfig({});
  await tracing.stop();
});

const tick = () => new Promise((resolve) => setImmediate(resolve));
const work = async () => {
  await tick();
  trace.getTracer('application').startSpan('work').end();
};

async function sendBatch(...bodies: string[]): Promise<void> {
  const Entries = bodies.map((MessageBody, i) => ({ Id: `m${i}`, MessageBody }));
  await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
}

async function withoutUs<T>(code: () => Promise<T>): Promise<T> {
  instrumentation.disable();
  try {
    return await code();
  } finally {
    instrumentation.enable();
  }
}

/** Sends a message as a producer that has nothing of ours. */
function sendPlain(input: Partial<ConstructorParameters<typeof SendMessageCommand>[0]>): Promise<unknown> {
  return withoutUs(() => client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one', ...input })));
}

test('each message of a poll is handled in the trace of its producer, and deleted there', async () => {
  await tracing.inSpan('app', () => sendBatch('one', 'two'));
  for (const message of await receive(client, QueueUrl)) {
    await work();
    await remove(client, QueueUrl, message);
  }
  expect(shownTraces(tracing, 'messaging.message.settlement')).toBe(
    lines(`
      app INTERNAL
      ├─ create orders PRODUCER
      │  └─ process orders CONSUMER {messaging.message.settlement=delete}  → create orders, receive orders
      │     ├─ work INTERNAL
      │     └─ delete orders CLIENT  → create orders
      ├─ create orders PRODUCER
      │  └─ process orders CONSUMER {messaging.message.settlement=delete}  → create orders, receive orders
      │     ├─ work INTERNAL
      │     └─ delete orders CLIENT  → create orders
      └─ send orders CLIENT  → create orders, create orders
      receive orders CLIENT  → create orders, create orders
    `),
  );
});

test('handled concurrently, each message keeps its own trace', async () => {
  await sendBatch('one', 'two', 'three');
  const traces = new Map<string | undefined, string | undefined>();
  const messages = await receive(client, QueueUrl);
  await Promise.all(
    messages.map(async (message) => {
      await tick();
      traces.set(message.Body, trace.getActiveSpan()?.spanContext().traceId);
      await remove(client, QueueUrl, message);
    }),
  );
  expect(new Set(traces.values()).size).toBe(messages.length);
  expect(shownTraces(tracing).match(/process orders CONSUMER/g)).toHaveLength(messages.length);
});

test('a process span tells its message, its attempt and its time in the queue', async () => {
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
  await receive(client, QueueUrl, { VisibilityTimeout: 0 });
  for (const _ of await receive(client, QueueUrl)) await work();
  const span = tracing.spans().find(({ name }) => name.startsWith('process'));
  expect(span?.attributes).toEqual({
    'messaging.system.name': 'aws.sqs',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': QueueUrl.split('/').pop(),
    'messaging.message.id': expect.any(String),
    'messaging.message.retry.count': 1,
    'messaging.message.receive.latency': expect.any(Number),
    'aws.sqs.queue.url': QueueUrl,
    'aws.request_id': expect.any(String),
    'server.address': '127.0.0.1',
    'server.port': expect.any(Number),
  });
});

test('the time in the queue is measured for each message, in seconds', async () => {
  await sendBatch('one', 'two');
  for (let left = 2; left > 0; ) for (const _ of await receive(client, QueueUrl)) left--;
  const metric = (await tracing.metrics()).find(
    ({ descriptor }) => descriptor.name === 'messaging.message.queue.duration',
  );
  expect(metric?.descriptor.unit).toBe('s');
  const [point] = metric?.dataPoints ?? [];
  expect(point?.attributes).toMatchObject({ 'messaging.destination.name': QueueUrl.split('/').pop() });
  expect(point?.value).toMatchObject({ count: 2 });
  expect((point?.value as { max: number } | undefined)?.max).toBeLessThan(60);
});

test('a poll that brings nothing makes no span, and no metric of messages', async () => {
  await receive(client, QueueUrl, { WaitTimeSeconds: 0 });
  expect(tracing.spans()).toEqual([]);
  const names = (await tracing.metrics()).map(({ descriptor }) => descriptor.name);
  expect(names).toEqual(['messaging.client.operation.duration']);
});

test('with emptyReceiveSpans it makes one', async () => {
  instrumentation.setConfig({ emptyReceiveSpans: true });
  await receive(client, QueueUrl, { WaitTimeSeconds: 0 });
  expect(shownTraces(tracing, 'messaging.batch.message_count')).toBe(
    'receive orders CLIENT {messaging.batch.message_count=0}',
  );
});

test('a poll that is aborted rejects as it would', async () => {
  const aborting = new AbortController();
  const command = new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 });
  const polled = client.send(command, { abortSignal: aborting.signal });
  setTimeout(() => aborting.abort(), 50);
  await expect(polled).rejects.toMatchObject({ name: 'AbortError' });
  expect(shownTraces(tracing)).toBe('receive orders CLIENT !AbortError');
});

test('with callbacks, messages arrive with their contexts', async () => {
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
  const messages = await new Promise<Message[]>((resolve, reject) =>
    client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }), (error, output) =>
      error ? reject(error) : resolve(output?.Messages ?? []),
    ),
  );
  for (const message of messages) {
    await new Promise<void>((resolve, reject) =>
      client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }), (error) =>
        error ? reject(error) : resolve(),
      ),
    );
  }
  expect(shownTraces(tracing, 'messaging.message.settlement')).toBe(
    lines(`
      send orders PRODUCER
      └─ process orders CONSUMER {messaging.message.settlement=delete}  → send orders, receive orders
         └─ delete orders CLIENT  → send orders
      receive orders CLIENT  → send orders
    `),
  );
});

describe('an application sees just what it asked for', () => {
  const SENT = {
    ...ownAttributes(2),
    trace: { DataType: 'Number', StringValue: '1' },
    raw: { DataType: 'Binary', BinaryValue: Buffer.from('ab') },
  };

  const requests: Record<string, Partial<ReceiveMessageCommandInput>> = {
    nothing: {},
    'one attribute': { MessageAttributeNames: ['own-0'] },
    'two of different types': { MessageAttributeNames: ['own-0', 'raw'] },
    'an attribute that is not there': { MessageAttributeNames: ['other'] },
    'no names, as lists': { MessageAttributeNames: [], MessageSystemAttributeNames: [] },
    'a prefix': { MessageAttributeNames: ['own.*'] },
    'a prefix that one of ours begins with': { MessageAttributeNames: ['trace.*'] },
    'a system attribute': { MessageSystemAttributeNames: ['SenderId'] },
    'a system attribute that we read': { MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'] },
    'a system attribute by the older field': { AttributeNames: ['SenderId' as never] },
    'all system attributes': { MessageSystemAttributeNames: ['All'] },
    'all system attributes by the older field': { AttributeNames: ['All'] },
    'both fields': { AttributeNames: ['SenderId' as never], MessageSystemAttributeNames: ['SentTimestamp'] },
    everything: { MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] },
    'everything, written as a pattern': { MessageAttributeNames: ['.*'] },
  };

  test.each(Object.entries(requests))('%s', async (_, request) => {
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one', MessageAttributes: SENT }));
    const input = deepFreeze({ VisibilityTimeout: 0, ...request });
    const shape = ({ Attributes, MessageAttributes, MD5OfMessageAttributes, ...rest }: Message) => ({
      keys: Object.keys(rest).sort(),
      Attributes: Attributes && { ...Attributes, ApproximateReceiveCount: typeof Attributes.ApproximateReceiveCount },
      MessageAttributes,
      MD5OfMessageAttributes,
    });
    const [observed] = await receive(client, QueueUrl, input);
    const [plain] = await withoutUs(() => receive(client, QueueUrl, input));
    expect(shape(observed!)).toEqual(shape(plain!));
    expect(Object.keys(observed!).sort()).toEqual(Object.keys(plain!).sort());
    expect(tracing.spans().at(-1)?.links).toHaveLength(1);
  });
});

test('a receive command may be sent again and stays as it was', async () => {
  const command = new ReceiveMessageCommand(
    deepFreeze({
      QueueUrl,
      WaitTimeSeconds: 0,
      MessageAttributeNames: ['mine'],
      AttributeNames: ['SenderId' as never],
    }),
  );
  const before = JSON.stringify(command.input);
  await client.send(command);
  await client.send(command);
  expect(JSON.stringify(command.input)).toBe(before);
});

describe('an answer that a middleware of the application has made', () => {
  const answering = (make: (output: object) => object) =>
    client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        return { ...result, output: make(result.output) as typeof result.output };
      },
      { step: 'initialize', name: 'answering', priority: 'high' },
    );

  test('frozen all the way down is shown frozen, with what was asked for, and handled in its trace', async () => {
    await sendBatch('one');
    answering(deepFreeze);
    const answer = await client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 0 }));
    const { Messages = [] } = answer;
    expect([Object.isFrozen(answer), Object.isFrozen(Messages)]).toEqual([true, true]);
    expect(Messages.map((message) => Object.keys(message).sort())).toEqual([
      ['Body', 'MD5OfBody', 'MessageId', 'ReceiptHandle'],
    ]);
    for (const _ of Messages) await work();
    const span = (name: string) => tracing.spans().find((one) => one.name.startsWith(name));
    expect(span('work')?.spanContext().traceId).toBe(span('send')?.spanContext().traceId);
  });

  test('and gives again is a delivery each time, in the trace of its producer', async () => {
    await sendBatch('one');
    let kept: object | undefined;
    answering((output) => {
      kept ??= output;
      return kept;
    });
    for (let i = 0; i < 2; i++) {
      for (const _ of await receive(client, QueueUrl, { WaitTimeSeconds: 0 })) await work();
    }
    expect(shownTraces(tracing)).toBe(
      lines(`
        send orders PRODUCER
        ├─ process orders CONSUMER  → send orders, receive orders
        │  └─ work INTERNAL
        └─ process orders CONSUMER  → send orders, receive orders
           └─ work INTERNAL
        receive orders CLIENT  → send orders
        receive orders CLIENT  → send orders
      `),
    );
  });

  test('that cannot be read is passed on, and the poll ends', async () => {
    let reads = 0;
    const hostile = Object.defineProperty({}, 'Messages', {
      get: () => {
        if (reads++ === 0) throw new Error('hostile');
        return 'read again';
      },
    });
    answering(() => hostile);
    const answer = await client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 0 }));
    expect(answer).toBe(hostile);
    expect(answer.Messages).toBe('read again');
    expect(tracing.openSpans).toBe(0);
  });
});

describe('a message of another producer', () => {
  const wrapped = (attributes: object, Message = 'one') =>
    JSON.stringify({
      Type: 'Notification',
      MessageId: 'x',
      TopicArn: 'arn:aws:sns:::t',
      Message,
      MessageAttributes: attributes,
    });
  const event = (detail: object) => JSON.stringify({ version: '0', 'detail-type': 'order', source: 'shop', detail });
  const datadog = JSON.stringify({ 'x-datadog-trace-id': '1', traceparent: TRACEPARENT });
  const text = (value: string) => ({ DataType: 'String', StringValue: value });
  const bytes = (value: string) => ({ DataType: 'Binary', BinaryValue: Buffer.from(value) });

  const carriers: Record<string, Parameters<typeof sendPlain>[0]> = {
    'an attribute': { MessageAttributes: { traceparent: text(TRACEPARENT) } },
    'a Binary attribute': { MessageAttributes: { traceparent: bytes(TRACEPARENT) } },
    'flags with the random bit': { MessageAttributes: { traceparent: text(TRACEPARENT.replace(/01$/, '03')) } },
    "a notification's attribute": { MessageBody: wrapped({ traceparent: { Type: 'String', Value: TRACEPARENT } }) },
    "a notification's attribute in another letter case": {
      MessageBody: wrapped({ Traceparent: { Type: 'String', Value: TRACEPARENT } }),
    },
    "a notification's Binary attribute": {
      MessageBody: wrapped({
        traceparent: { Type: 'Binary', Value: Buffer.from(TRACEPARENT).toString('base64') },
      }),
    },
    "a notification's Datadog attribute": {
      MessageBody: wrapped({ _datadog: { Type: 'Binary', Value: Buffer.from(datadog).toString('base64') } }),
    },
    'an event with Datadog fields': { MessageBody: event({ _datadog: JSON.parse(datadog) }) },
    'an event with fields of its own': { MessageBody: event({ order: 1, traceparent: TRACEPARENT }) },
    'an event in a notification': { MessageBody: wrapped({}, event({ _datadog: JSON.parse(datadog) })) },
    'a Datadog attribute': { MessageAttributes: { _datadog: text(datadog) } },
    'a Binary Datadog attribute': { MessageAttributes: { _datadog: bytes(datadog) } },
    'the X-Ray header': {
      MessageSystemAttributes: {
        AWSTraceHeader: text(`Root=1-${TRACE_ID.slice(0, 8)}-${TRACE_ID.slice(8)};Parent=${SPAN_ID};Sampled=1`),
      },
    },
  };

  test.each(Object.entries(carriers))('is handled in its trace: %s', async (_, input) => {
    await sendPlain(input);
    for (const _ of await receive(client, QueueUrl)) await work();
    const span = tracing.spans().find(({ name }) => name.startsWith('process'));
    expect(span?.parentSpanContext).toMatchObject({ traceId: TRACE_ID, spanId: SPAN_ID });
  });

  test.each([
    [undefined, undefined], // the service finds names by their exact letters
    [['All'], SPAN_ID],
    [['Trace.*'], SPAN_ID],
  ])('with a Traceparent is handled in its trace where %j is asked for: %s', async (MessageAttributeNames, spanId) => {
    await sendPlain({ MessageAttributes: { Traceparent: text(TRACEPARENT) } });
    for (const _ of await receive(client, QueueUrl, { MessageAttributeNames })) await work();
    const span = tracing.spans().find(({ name }) => name.startsWith('process'));
    expect(span?.parentSpanContext?.spanId).toBe(spanId);
  });

  const unsampled = {
    MessageSystemAttributes: {
      AWSTraceHeader: text(`Root=1-${TRACE_ID.slice(0, 8)}-${TRACE_ID.slice(8)};Parent=${SPAN_ID};Sampled=0`),
    },
  };

  test('that X-Ray did not sample is linked, and its handler recorded', async () => {
    await sendPlain(unsampled);
    for (const _ of await receive(client, QueueUrl)) await work();
    const span = tracing.spans().find(({ name }) => name.startsWith('process'));
    expect(span?.parentSpanContext).toBeUndefined();
    expect(span?.links[0]?.context).toMatchObject({ traceId: TRACE_ID, spanId: SPAN_ID });
  });

  test('that X-Ray did not sample is a parent on request', async () => {
    instrumentation.setConfig({ xrayUnsampled: 'parent' });
    await sendPlain(unsampled);
    for (const _ of await receive(client, QueueUrl)) await work();
    const span = tracing.spans().find(({ name }) => name.startsWith('process'));
    expect(span?.parentSpanContext).toMatchObject({ traceId: TRACE_ID, spanId: SPAN_ID });
  });

  test('whose attribute and X-Ray header differ follows the attribute', async () => {
    await sendPlain({ ...carriers['an attribute'], ...unsampled });
    for (const _ of await receive(client, QueueUrl)) await work();
    const span = tracing.spans().find(({ name }) => name.startsWith('process'));
    expect(span?.parentSpanContext?.spanId).toBe(SPAN_ID);
  });

  test.each([
    ['no JSON', '{"Type": "Notification", '],
    ['no object', '["Notification"]'],
    ['null attributes', '{"Type":"Notification","MessageAttributes":{"traceparent":null}}'],
    ['numbers for texts', '{"Type":"Notification","MessageAttributes":{"traceparent":{"Type":"String","Value":7}}}'],
    ['a detail that is null', '{"detail-type":"x","detail":null}'],
    ['no valid context', '{"detail-type":"x","detail":{"traceparent":"00-zz"}}'],
  ])('with a body that only looks like an envelope arrives as it is: %s', async (_, MessageBody) => {
    await sendPlain({ MessageBody });
    const bodies: (string | undefined)[] = [];
    for (const message of await receive(client, QueueUrl)) {
      await work();
      bodies.push(message.Body);
    }
    expect(bodies).toEqual([MessageBody]);
  });

  test('without any context is handled in a trace of its own', async () => {
    await sendPlain({});
    for (const _ of await receive(client, QueueUrl)) await work();
    expect(shownTraces(tracing)).toBe(
      lines(`
        receive orders CLIENT
        process orders CONSUMER  → receive orders
        └─ work INTERNAL
      `),
    );
  });
});

test('a dead letter is handled in the trace of its producer, which tells where and how often it was tried', async () => {
  const deadLetters = await newQueue(client);
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: deadLetters, AttributeNames: ['QueueArn'] }),
  );
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: Attributes?.['QueueArn'], maxReceiveCount: 2 });
  QueueUrl = await newQueue(client, { RedrivePolicy, VisibilityTimeout: '0' });
  await tracing.inSpan('app', () => client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' })));
  for (let attempt = 0; attempt < 2; attempt++) {
    const failing = async () => {
      for (const _ of await receive(client, QueueUrl)) {
        await work();
        throw new Error('no stock');
      }
    };
    await expect(failing()).rejects.toThrow('no stock');
  }
  await receive(client, QueueUrl, { WaitTimeSeconds: 0 }); // moves it
  for (const letter of await receive(client, deadLetters)) {
    expect(letter.Attributes).toBeUndefined();
    await work();
    await remove(client, deadLetters, letter);
  }
  expect(shownTraces(tracing, 'messaging.message.retry.count', 'messaging.dead_letter.source')).toBe(
    lines(`
      app INTERNAL
      └─ send orders PRODUCER
         ├─ process orders CONSUMER  → send orders, receive orders
         │  └─ work INTERNAL
         ├─ process orders CONSUMER {messaging.message.retry.count=1}  → send orders, receive orders
         │  └─ work INTERNAL
         └─ process orders CONSUMER {messaging.message.retry.count=2} {messaging.dead_letter.source=orders}  → send orders, receive orders
            ├─ work INTERNAL
            └─ delete orders CLIENT  → send orders
      receive orders CLIENT  → send orders
      receive orders CLIENT  → send orders
      receive orders CLIENT  → send orders
    `),
  );
});

test('a batch of deletions links to the producers and is recorded on each process span still open', async () => {
  await sendBatch('one', 'two');
  const messages = await receive(client, QueueUrl);
  const Entries = messages.map(({ ReceiptHandle }, i) => ({ Id: `d${i}`, ReceiptHandle }));
  Entries.push({ Id: 'bad', ReceiptHandle: 'none' });
  const { Failed } = await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  expect(Failed).toHaveLength(1);
  const text = shownTraces(tracing, 'messaging.batch.message_count');
  expect(text).toContain('delete orders CLIENT {messaging.batch.message_count=3}  → create orders, create orders');
});

test('a deletion outside of any handler belongs to the trace of its message', async () => {
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
  const messages = await receive(client, QueueUrl);
  await remove(client, QueueUrl, messages[0]!);
  expect(shownTraces(tracing)).toBe(
    lines(`
      send orders PRODUCER
      └─ delete orders CLIENT  → send orders
      receive orders CLIENT  → send orders
    `),
  );
  const deletion = tracing.spans().find(({ name }) => name.startsWith('delete'));
  expect(deletion?.attributes['messaging.message.id']).toBe(messages[0]?.MessageId);
});

test('without settle spans the process span still tells that its message was deleted', async () => {
  instrumentation.setConfig({ settleSpans: false });
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
  for (const message of await receive(client, QueueUrl)) await remove(client, QueueUrl, message);
  expect(shownTraces(tracing, 'messaging.message.settlement')).toBe(
    lines(`
      send orders PRODUCER
      └─ process orders CONSUMER {messaging.message.settlement=delete}  → send orders, receive orders
      receive orders CLIENT  → send orders
    `),
  );
});

test('a deletion that fails is no settlement', async () => {
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
  for (const _ of await receive(client, QueueUrl)) {
    await expect(remove(client, QueueUrl, { ReceiptHandle: 'none' })).rejects.toMatchObject({
      name: 'ReceiptHandleIsInvalid',
    });
  }
  const text = shownTraces(tracing, 'messaging.message.settlement');
  expect(text).toContain('process orders CONSUMER  →');
  expect(text).toContain('delete orders CLIENT !ReceiptHandleIsInvalid');
});

test('merely reading messages makes no span, and the array is the client’s own', async () => {
  await sendBatch('one', 'two');
  const messages = await receive(client, QueueUrl);
  expect(Object.keys(messages)).toEqual(['0', '1']);
  expect(JSON.parse(JSON.stringify(messages))).toHaveLength(2);
  expect(messages.map(({ Body }) => Body).sort()).toEqual(['one', 'two']);
  expect([...messages]).toHaveLength(2);
  expect(shownTraces(tracing)).not.toContain('process');
});

test('a context in the attributes of a foreign message is not trusted where the configuration says so', async () => {
  instrumentation.setConfig({ trustIncoming: false });
  const baggage = { baggage: 'tenant=a', traceparent: TRACEPARENT };
  await sendPlain({ MessageAttributes: stringAttributes(baggage) });
  let seen: unknown = 'nothing';
  for (const _ of await receive(client, QueueUrl)) {
    await work();
    seen = propagation.getActiveBaggage();
  }
  expect(seen).toBeUndefined();
  const span = tracing.spans().find(({ name }) => name.startsWith('process'));
  expect(span?.parentSpanContext).toBeUndefined();
  expect(span?.links[0]?.context.spanId).toBe(SPAN_ID);
});

/** One message that was sent, received and worked on, all in one trace. */
const ONE_MESSAGE = lines(`
  send orders PRODUCER
  └─ process orders CONSUMER  → send orders, receive orders
     └─ work INTERNAL
  receive orders CLIENT  → send orders
`);

test('ten own attributes lose no trace: the X-Ray header carries it', async () => {
  const MessageAttributes = ownAttributes(10);
  await context.with(ROOT_CONTEXT, () =>
    client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one', MessageAttributes })),
  );
  for (const _ of await receive(client, QueueUrl)) await work();
  expect(shownTraces(tracing)).toBe(ONE_MESSAGE);
});

test('the fields of another propagator are asked for, also of one that is registered later', async () => {
  instrumentation.setConfig({ awsTraceHeader: 'off' });
  await receive(client, QueueUrl, { WaitTimeSeconds: 0 });
  await tracing.stop();
  tracing = startTracing([instrumentation], { propagator: new B3Propagator() });
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
  for (const _ of await receive(client, QueueUrl)) await work();
  expect(shownTraces(tracing)).toBe(ONE_MESSAGE);
});
