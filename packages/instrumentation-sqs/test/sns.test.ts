/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { PublishBatchCommand, PublishCommand, SNS, type SNSClient, type SNSClientConfig } from '@aws-sdk/client-sns';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { SpanKind, trace } from '@opentelemetry/api';
import { applyInstrumentation, deepFreeze, eventually, startTracing, type Tracing } from '@otel-messaging/test-utils';
import { SqsInstrumentation } from '../src';
import { newSnsClient, newTopic, subscribedQueue } from './sns';
import { clientConfig, lines, newClient, ownAttributes, receive, remove, shownTraces, stringAttributes } from './sqs';

const instrumentation = new SqsInstrumentation();
applyInstrumentation(instrumentation, require);

let tracing: Tracing;
let sns: SNSClient;
let sqs: SQSClient;
let TopicArn: string;

beforeEach(async () => {
  tracing = startTracing([instrumentation]);
  sns = newSnsClient();
  sqs = newClient();
  TopicArn = await newTopic(sns);
});

afterEach(async () => {
  sns.destroy();
  sqs.destroy();
  instrumentation.setConfig({});
  await tracing.stop();
});

const tick = () => new Promise((resolve) => setImmediate(resolve));

async function handleAll(QueueUrl: string, count: number): Promise<(string | undefined)[]> {
  const bodies: (string | undefined)[] = [];
  while (bodies.length < count) {
    for (const message of await receive(sqs, QueueUrl)) {
      await tick();
      bodies.push(message.Body);
      await remove(sqs, QueueUrl, message);
    }
  }
  return bodies;
}

/** Inputs of requests that a stub took. */
const seen: unknown[] = [];

/** A client whose requests end here, with this outcome. */
function stubbed(outcome: () => unknown, config: SNSClientConfig = {}): SNSClient {
  const client = newSnsClient({ maxAttempts: 1, ...config });
  client.middlewareStack.add(
    () => async (args) => {
      seen.push(args.input);
      return { response: {}, output: (await outcome()) as never };
    },
    { step: 'initialize', name: 'stub', priority: 'low' },
  );
  return client;
}

const published = () => tracing.spans().find(({ name }) => name.startsWith('publish'));

test.each(['raw', 'wrapped'] as const)(
  'a message published to two queues, delivered %s, is handled twice in the trace of its publish',
  async (delivery) => {
    const queues = [await subscribedQueue(sns, sqs, TopicArn, delivery)];
    queues.push(await subscribedQueue(sns, sqs, TopicArn, delivery));
    const input = deepFreeze({ TopicArn, Message: 'one', Subject: 'news' });
    await tracing.inSpan('app', () => sns.send(new PublishCommand(input)));
    for (const QueueUrl of queues) {
      const [body] = await handleAll(QueueUrl, 1);
      expect(delivery === 'raw' ? body : JSON.parse(body ?? '').Message).toBe('one');
    }
    const handled = [
      'process orders CONSUMER  → publish events, receive orders',
      'delete orders CLIENT  → publish events',
    ];
    expect(shownTraces(tracing)).toBe(
      lines(`
        app INTERNAL
        └─ publish events PRODUCER
           ├─ ${handled[0]}
           │  └─ ${handled[1]}
           └─ ${handled[0]}
              └─ ${handled[1]}
        receive orders CLIENT  → publish events
        receive orders CLIENT  → publish events
      `),
    );
  },
);

test('a publish tells its topic, its message and its call', async () => {
  await sns.send(new PublishCommand({ TopicArn, Message: 'one' }));
  await sns.send(new PublishCommand({ TopicArn, Message: 'two' }));
  const span = tracing.spans()[1];
  expect(span?.kind).toBe(SpanKind.PRODUCER);
  expect(span?.attributes).toEqual({
    'messaging.system.name': 'aws.sns',
    'messaging.operation.name': 'publish',
    'messaging.operation.type': 'send',
    'messaging.destination.name': TopicArn.split(':').pop(),
    'messaging.message.id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    'aws.sns.topic.arn': TopicArn,
    'aws.request_id': expect.any(String),
    'server.address': '127.0.0.1',
    'server.port': expect.any(Number),
    'rpc.system': 'aws-api',
    'rpc.service': 'SNS',
    'rpc.method': 'Publish',
    'cloud.region': 'us-east-1',
  });
});

test('a topic that is named as a target is one too', async () => {
  const client = stubbed(() => ({ MessageId: 'm-1', $metadata: {} }));
  await client.send(new PublishCommand({ TargetArn: TopicArn, Message: 'one' }));
  client.destroy();
  expect(shownTraces(tracing)).toBe('publish events PRODUCER');
});

test('each entry of a batch is handled in a trace of its own create span', async () => {
  const QueueUrl = await subscribedQueue(sns, sqs, TopicArn, 'raw');
  const PublishBatchRequestEntries = [
    { Id: 'a', Message: 'one' },
    { Id: 'b', Message: 'two', MessageAttributes: ownAttributes(3) },
  ];
  const input = deepFreeze({ TopicArn, PublishBatchRequestEntries });
  const output = await tracing.inSpan('app', () => sns.send(new PublishBatchCommand(input)));
  await handleAll(QueueUrl, 2);
  const text = shownTraces(tracing, 'messaging.batch.message_count');
  expect(text.replaceAll(/^receive.*\n?/gm, '').trimEnd()).toBe(
    lines(`
      app INTERNAL
      ├─ create events PRODUCER
      │  └─ process orders CONSUMER  → create events, receive orders
      │     └─ delete orders CLIENT  → create events
      ├─ create events PRODUCER
      │  └─ process orders CONSUMER  → create events, receive orders
      │     └─ delete orders CLIENT  → create events
      └─ publish events CLIENT {messaging.batch.message_count=2}  → create events, create events
    `),
  );
  const ids = published()?.links.map(({ attributes }) => attributes?.['messaging.message.id']);
  expect(ids).toEqual(output.Successful?.map(({ MessageId }) => MessageId));
});

test('an entry that the service refuses is told by its link and counted as failed', async () => {
  const fifo = await newTopic(sns, { FifoTopic: 'true' });
  const PublishBatchRequestEntries = [
    { Id: 'good', Message: 'one', MessageGroupId: 'g', MessageDeduplicationId: 'd' },
    { Id: 'bad', Message: 'two' },
  ];
  const output = await sns.send(new PublishBatchCommand({ TopicArn: fifo, PublishBatchRequestEntries }));
  expect(output.Failed).toHaveLength(1);
  expect(published()?.status.code).toBe(0);
  const errors = published()?.links.map(({ attributes }) => attributes?.['error.type']);
  expect(errors).toEqual([undefined, output.Failed?.[0]?.Code]);
  const sent = (await tracing.metrics()).find(({ descriptor }) => descriptor.name === 'messaging.client.sent.messages');
  const counts = sent?.dataPoints.map(({ attributes, value }) => [attributes['error.type'], value]);
  expect(counts).toEqual(
    expect.arrayContaining([
      [undefined, 1],
      [output.Failed?.[0]?.Code, 1],
    ]),
  );
});

const COUNTS = Array.from({ length: 11 }, (_, count) => count);

test.each(COUNTS)(
  'with %i attributes of its own a message is delivered raw, and handled in the trace of its publish',
  async (count) => {
    const QueueUrl = await subscribedQueue(sns, sqs, TopicArn, 'raw');
    const MessageAttributes = count === 0 ? undefined : ownAttributes(count);
    await sns.send(new PublishCommand({ TopicArn, Message: 'one', MessageAttributes }));
    const names: string[] = [];
    for (const message of await receive(sqs, QueueUrl, { MessageAttributeNames: ['All'] })) {
      await tick();
      names.push(...Object.keys(message.MessageAttributes ?? {}));
    }
    expect(names.filter((name) => !name.startsWith('own-'))).toEqual(count < 10 ? ['traceparent'] : []);
    const handled = tracing.spans().find(({ kind }) => kind === SpanKind.CONSUMER);
    expect(published()?.kind).toBe(SpanKind.PRODUCER);
    expect(handled?.parentSpanContext?.spanId).toBe(published()?.spanContext().spanId);
  },
);

describe('the X-Ray header', () => {
  const FOREIGN = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';

  /** Publishes with so many attributes; the header that the message arrives with. */
  async function arrivesWith(count: number, delivery: 'raw' | 'wrapped' = 'raw'): Promise<string | undefined> {
    const QueueUrl = await subscribedQueue(sns, sqs, TopicArn, delivery);
    const MessageAttributes = ownAttributes(count);
    await sns.send(new PublishCommand({ TopicArn, Message: 'one', MessageAttributes }));
    const [message] = await receive(sqs, QueueUrl, { MessageSystemAttributeNames: ['AWSTraceHeader'] });
    return message?.Attributes?.AWSTraceHeader;
  }

  const ours = () => {
    const { traceId, spanId } = published()!.spanContext();
    return `Root=1-${traceId.slice(0, 8)}-${traceId.slice(8)};Parent=${spanId};Sampled=1`;
  };

  test.each(['raw', 'wrapped'] as const)(
    'goes with a publish, for those who read nothing else (%s)',
    async (delivery) => {
      expect(await arrivesWith(1, delivery)).toBe(ours());
    },
  );

  test('stands in for attributes only, if the configuration says so', async () => {
    instrumentation.setConfig({ awsTraceHeader: 'fallback' });
    expect(await arrivesWith(9)).toBeUndefined();
    tracing.reset();
    expect(await arrivesWith(10)).toBe(ours());
  });

  test('is not sent if the configuration says so: at ten attributes nothing can be carried', async () => {
    instrumentation.setConfig({ awsTraceHeader: 'off' });
    expect(await arrivesWith(10)).toBeUndefined();
    expect(published()?.kind).toBe(SpanKind.CLIENT);
  });

  test('of the application, or of the X-Ray SDK, stays', async () => {
    sns.middlewareStack.add(
      (next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers['X-Amzn-Trace-Id'] = FOREIGN;
        return next(args);
      },
      { step: 'build', name: 'XRaySDKInstrumentation' },
    );
    expect(await arrivesWith(1)).toBe(FOREIGN);
  });

  test('is not sent with a batch, whose entries have contexts of their own', async () => {
    const QueueUrl = await subscribedQueue(sns, sqs, TopicArn, 'raw');
    const PublishBatchRequestEntries = [
      { Id: 'a', Message: 'one' },
      { Id: 'b', Message: 'two', MessageAttributes: ownAttributes(10) },
    ];
    await sns.send(new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries }));
    const found: unknown[] = [];
    while (found.length < 2) {
      const messages = await receive(sqs, QueueUrl, { MessageSystemAttributeNames: ['AWSTraceHeader'] });
      for (let i = 0; i < messages.length; i++) found.push(messages[i]?.Attributes);
    }
    expect(found).toEqual([undefined, undefined]);
    const injections = (await tracing.metrics()).find(({ descriptor }) => descriptor.name.endsWith('injections'));
    const counts = injections?.dataPoints.map(({ attributes }) => attributes['messaging.message.carrier']);
    expect(counts?.sort()).toEqual(['complete', 'none']);
  });
});

test('a context of the application’s own stays, and is linked', async () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const QueueUrl = await subscribedQueue(sns, sqs, TopicArn, 'wrapped');
  const MessageAttributes = stringAttributes({ traceparent });
  await sns.send(new PublishCommand({ TopicArn, Message: 'one', MessageAttributes }));
  const [body] = await handleAll(QueueUrl, 1);
  expect(JSON.parse(body ?? '').MessageAttributes.traceparent.Value).toBe(traceparent);
  expect(published()?.kind).toBe(SpanKind.CLIENT);
  expect(published()?.links[0]?.context.spanId).toBe('b7ad6b7169203331');
});

test('an event of EventBridge that came through a topic is handled in its trace', async () => {
  const QueueUrl = await subscribedQueue(sns, sqs, TopicArn, 'wrapped');
  const detail = { _datadog: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } };
  instrumentation.disable(); // EventBridge is no client of ours
  await sns.send(
    new PublishCommand({ TopicArn, Message: JSON.stringify({ version: '0', 'detail-type': 'order', detail }) }),
  );
  instrumentation.enable();
  await handleAll(QueueUrl, 1);
  const handled = tracing.spans().find(({ kind }) => kind === SpanKind.CONSUMER);
  expect(handled?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
});

describe('a message to a person', () => {
  const PHONE = '+12065550100';
  const DEVICE = 'arn:aws:sns:us-east-1:000000000000:endpoint/GCM/app/0b0c4711-4711-4711-4711-0b0c4711cafe';
  beforeEach(() => seen.splice(0));

  test.each([
    ['phone', { PhoneNumber: PHONE }],
    ['device', { TargetArn: DEVICE }],
  ])('on a %s carries nothing, and its span says nothing of who it is', async (_, target) => {
    const client = stubbed(() => ({ MessageId: 'm-1', $metadata: { requestId: 'r-1' } }));
    const input = { ...target, Message: 'Your parcel is here' };
    await client.send(new PublishCommand(input));
    client.destroy();
    expect(seen).toEqual([input]);
    expect(shownTraces(tracing)).toBe('publish CLIENT');
    const { attributes } = tracing.spans()[0]!;
    expect(attributes).toMatchObject({ 'messaging.system.name': 'aws.sns', 'messaging.message.id': 'm-1' });
    expect(attributes).not.toHaveProperty(['messaging.destination.name']);
    expect(JSON.stringify([attributes, await tracing.metrics()])).not.toMatch(/2065550100|0b0c/);
  });

  test('is not told by an error either', async () => {
    const failure = Object.assign(new Error(`PhoneNumber ${PHONE} is not valid`), {
      name: 'InvalidParameterException',
      $metadata: { requestId: 'r-1' },
    });
    const client = stubbed(() => {
      throw failure;
    });
    await expect(client.send(new PublishCommand({ PhoneNumber: PHONE, Message: 'hello' }))).rejects.toBe(failure);
    client.destroy();
    expect(shownTraces(tracing)).toBe('publish CLIENT !InvalidParameterException');
    const [{ attributes, status, events }] = tracing.spans() as [ReturnType<Tracing['spans']>[number]];
    expect(attributes['aws.request_id']).toBe('r-1');
    expect(JSON.stringify([attributes, status, events])).not.toContain('2065550100');
  });

  const refusal = { Code: 'InvalidParameter', Message: `${DEVICE} is not a topic` };
  const batchFailure = Object.assign(new Error(refusal.Message), {
    name: refusal.Code,
    $metadata: { requestId: 'r-1' },
  });
  test.each([
    ['a batch that the service refuses', () => Promise.reject(batchFailure)],
    [
      'the entries that it refuses',
      () => ({ Failed: ['a', 'b'].map((Id) => ({ Id, ...refusal })), $metadata: { requestId: 'r-1' } }),
    ],
  ])('is not told by %s either', async (_, outcome) => {
    const client = stubbed(outcome);
    const PublishBatchRequestEntries = ['a', 'b'].map((Id) => ({ Id, Message: 'hello' }));
    await client.send(new PublishBatchCommand({ TopicArn: DEVICE, PublishBatchRequestEntries })).catch(() => undefined);
    client.destroy();
    const span = published()!;
    expect(span.attributes).toMatchObject({ 'error.type': 'InvalidParameter', 'aws.request_id': 'r-1' });
    const told = tracing
      .spans()
      .map(({ name, attributes, links, status, events }) => [name, attributes, links, status, events]);
    expect(JSON.stringify([told, await tracing.metrics()])).not.toContain('0b0c');
  });
});

test('a failed publish has the error, and the id of its request', async () => {
  const error = await sns.send(new PublishCommand({ TopicArn: `${TopicArn}-no`, Message: 'one' })).catch((e) => e);
  expect(published()?.attributes['error.type']).toBe(error.Code ?? error.name);
  expect(published()?.attributes['aws.request_id']).toBe(error.$metadata.requestId);
  expect(published()?.status.message).toBe(error.message);
});

test('the methods of the aggregated client are traced, in both manners', async () => {
  const client = new SNS(clientConfig() as object);
  await client.publish({ TopicArn, Message: 'one' });
  await new Promise<void>((resolve, reject) =>
    client.publish({ TopicArn, Message: 'two' }, (error) => (error ? reject(error) : resolve())),
  );
  client.destroy();
  expect(shownTraces(tracing)).toBe('publish events PRODUCER\npublish events PRODUCER');
});

describe('a client that is given no endpoint', () => {
  const endpoint = new URL(process.env['SQS_ENDPOINT'] ?? '');
  const NAMES = ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_SNS', 'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'] as const;
  afterEach(() => {
    for (const name of NAMES) delete process.env[name];
  });

  /** Of a publish after the client has found its endpoint; the requests end in a stub, with no time for that. */
  async function recorded(region: string): Promise<object> {
    const client = stubbed(() => ({ $metadata: {} }), { region, endpoint: undefined });
    const last = () => tracing.spans().at(-1)?.attributes ?? {};
    await eventually('the server', async () => {
      await client.send(new PublishCommand({ TopicArn: `arn:aws:sns:${region}:000000000000:news`, Message: 'one' }));
      return last()['server.address'] !== undefined;
    });
    client.destroy();
    return last();
  }

  test('is known by the rules for its region', async () => {
    expect(await recorded('eu-west-1')).toMatchObject({
      'server.address': 'sns.eu-west-1.amazonaws.com',
      'cloud.region': 'eu-west-1',
    });
  });

  test.each(['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_SNS'] as const)(
    'is after its first call known by the one that %s names',
    async (name) => {
      process.env[name] = endpoint.href;
      const client = newSnsClient({ endpoint: undefined });
      for (const Message of ['one', 'two']) await client.send(new PublishCommand({ TopicArn, Message }));
      client.destroy();
      const [first, second] = tracing.spans();
      expect(first?.attributes).not.toHaveProperty(['server.address']);
      expect(second?.attributes).toMatchObject({
        'server.address': endpoint.hostname,
        'server.port': Number(endpoint.port),
      });
    },
  );

  test('is not known by the environment where that is to be ignored', async () => {
    process.env['AWS_ENDPOINT_URL_SNS'] = endpoint.href;
    process.env['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'] = 'true';
    expect(await recorded('us-east-1')).toMatchObject({ 'server.address': 'sns.us-east-1.amazonaws.com' });
  });
});

test('the functions of an application that give an endpoint and a region are called once more than without us', async () => {
  const { protocol, hostname, port } = new URL(process.env['SQS_ENDPOINT'] ?? '');
  async function calls(): Promise<readonly number[]> {
    const region = jest.fn(async () => 'us-east-1');
    const endpoint = jest.fn(async () => ({ protocol, hostname, port: Number(port), path: '/' }));
    const client = newSnsClient({ region, endpoint });
    for (const Message of ['one', 'two']) await client.send(new PublishCommand({ TopicArn, Message }));
    client.destroy();
    return [region.mock.calls.length, endpoint.mock.calls.length];
  }
  const observed = await calls();
  instrumentation.disable();
  const plain = await calls();
  instrumentation.enable();
  expect(observed).toEqual(plain.map((count) => count + 1));
});

test('in dup mode the names that older dashboards query are there too', async () => {
  await tracing.stop();
  tracing = startTracing([instrumentation], { contract: false });
  instrumentation.setConfig({ semconv: 'dup' });
  await sns.send(new PublishCommand({ TopicArn, Message: 'one' }));
  expect(published()?.attributes).toMatchObject({
    'messaging.system': 'aws.sns',
    'messaging.destination_kind': 'topic',
  });
});

test('calls that publish nothing are left alone', async () => {
  await newTopic(sns);
  expect(trace.getActiveSpan()).toBeUndefined();
  expect(tracing.spans()).toEqual([]);
});
