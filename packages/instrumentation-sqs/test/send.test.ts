/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { SendMessageBatchCommand, SendMessageCommand, SQS, type SQSClient } from '@aws-sdk/client-sqs';
import { context, diag, propagation, ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
import { applyInstrumentation, deepFreeze, startTracing, type Tracing } from '@otel-messaging/test-utils';
import { SqsInstrumentation } from '../src';
import { asStored, clientConfig, lines, newClient, newQueue, ownAttributes, receive, remove, shownTraces } from './sqs';

const instrumentation = new SqsInstrumentation();
applyInstrumentation(instrumentation, require);

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

const onTheWire = () => asStored(instrumentation, client, QueueUrl);

function traceparentOf(span: ReturnType<Tracing['spans']>[number] | undefined): string {
  const { traceId, spanId } = span!.spanContext();
  return `00-${traceId}-${spanId}-01`;
}

test('one message carries its send span, in attributes and in the X-Ray header', async () => {
  await tracing.inSpan('app', () => client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' })));
  const [message] = await onTheWire();
  expect(shownTraces(tracing)).toBe(
    lines(`
      app INTERNAL
      └─ send orders PRODUCER
    `),
  );
  const send = tracing.spans().find(({ name }) => name.startsWith('send'))!;
  const { traceId, spanId } = send.spanContext();
  expect(message?.MessageAttributes).toEqual({
    traceparent: { DataType: 'String', StringValue: traceparentOf(send) },
  });
  expect(message?.Attributes?.['AWSTraceHeader']).toBe(
    `Root=1-${traceId.slice(0, 8)}-${traceId.slice(8)};Parent=${spanId};Sampled=1`,
  );
  expect(send.attributes).toEqual({
    'messaging.system.name': 'aws.sqs',
    'messaging.operation.name': 'send',
    'messaging.operation.type': 'send',
    'messaging.destination.name': QueueUrl.split('/').pop(),
    'messaging.message.id': message?.MessageId,
    'aws.sqs.queue.url': QueueUrl,
    'aws.request_id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    'server.address': '127.0.0.1',
    'server.port': Number(new URL(QueueUrl).port),
    'rpc.system': 'aws-api',
    'rpc.service': 'SQS',
    'rpc.method': 'SendMessage',
  });
});

test('once the client has told its region, spans have it', async () => {
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'two' }));
  expect(tracing.spans()[1]?.attributes['cloud.region']).toBe('us-east-1');
});

describe('a client that is told not to send to the host of the URL', () => {
  const ELSEWHERE = 'https://sqs.us-east-1.amazonaws.com/000000000000/';
  afterEach(() => delete process.env['AWS_ENDPOINT_URL_SQS']);

  test('is after its first call known by the endpoint that it has found', async () => {
    process.env['AWS_ENDPOINT_URL_SQS'] = process.env['SQS_ENDPOINT'];
    const other = newClient({ endpoint: undefined, useQueueUrlAsEndpoint: false });
    const url = ELSEWHERE + QueueUrl.split('/').pop();
    for (const MessageBody of ['one', 'two']) await other.send(new SendMessageCommand({ QueueUrl: url, MessageBody }));
    other.destroy();
    const servers = tracing.spans().map(({ attributes }) => attributes['server.address']);
    expect(servers).toEqual([undefined, new URL(QueueUrl).hostname]);
  });
});

test('without awsRpcAttributes spans have no rpc attributes and no region', async () => {
  instrumentation.setConfig({ awsRpcAttributes: false });
  for (const MessageBody of ['one', 'two']) await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  const keys = tracing.spans().flatMap(({ attributes }) => Object.keys(attributes));
  expect(keys.filter((key) => /^(rpc|cloud)\./.test(key))).toEqual([]);
});

test('in dup mode the names that older dashboards query are there too', async () => {
  instrumentation.setConfig({ semconv: 'dup' });
  const contract = tracing;
  tracing = startTracing([instrumentation], { contract: false });
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
  const { attributes } = tracing.spans()[0]!;
  expect(attributes).toMatchObject({ 'messaging.system': 'aws_sqs', 'url.full': QueueUrl });
  expect(attributes['aws.request.id']).toBe(attributes['aws.request_id']);
  expect(contract.openSpans).toBe(0);
});

test('a batch of two gets two create spans and one send that links to both', async () => {
  const Entries = [
    { Id: 'a', MessageBody: 'one' },
    { Id: 'b', MessageBody: 'two' },
  ];
  await tracing.inSpan('app', () => client.send(new SendMessageBatchCommand({ QueueUrl, Entries })));
  expect(shownTraces(tracing, 'messaging.batch.message_count')).toBe(
    lines(`
      app INTERNAL
      ├─ create orders PRODUCER
      ├─ create orders PRODUCER
      └─ send orders CLIENT {messaging.batch.message_count=2}  → create orders, create orders
    `),
  );
  const [first, second, send] = tracing.spans().filter(({ name }) => name !== 'app');
  const messages = await onTheWire();
  const carried = messages.map((message) => message.MessageAttributes?.['traceparent']?.StringValue);
  expect(carried.sort()).toEqual([traceparentOf(first), traceparentOf(second)].sort());
  const ids = send!.links.map(({ attributes }) => attributes?.['messaging.message.id']);
  expect(ids.sort()).toEqual(messages.map((message) => message.MessageId).sort());
});

test('a batch of one is carried by its send span', async () => {
  const Entries = [{ Id: 'a', MessageBody: 'one' }];
  await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  expect(shownTraces(tracing, 'messaging.batch.message_count')).toBe(
    'send orders PRODUCER {messaging.batch.message_count=1}',
  );
});

test('entries that the service refuses are told by their links, and the send is no error while one got through', async () => {
  const Entries = [
    { Id: 'good', MessageBody: 'one' },
    { Id: 'bad', MessageBody: 'two', DelaySeconds: 9999 },
  ];
  const output = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  expect(output.Failed).toEqual([expect.objectContaining({ Id: 'bad' })]);
  const send = tracing.spans().find(({ kind }) => kind === SpanKind.CLIENT);
  expect(send?.status.code).toBe(0);
  expect(send?.links.map(({ attributes }) => attributes)).toEqual([
    { 'messaging.message.id': output.Successful?.[0]?.MessageId },
    { 'error.type': 'InvalidParameterValue' },
  ]);
  const sent = (await tracing.metrics()).find(({ descriptor }) => descriptor.name === 'messaging.client.sent.messages');
  const counts = sent?.dataPoints.map(({ attributes, value }) => [attributes['error.type'], value]);
  expect(counts).toEqual(
    expect.arrayContaining([
      [undefined, 1],
      ['InvalidParameterValue', 1],
    ]),
  );
});

test('a batch of which nothing got through is an error', async () => {
  const Entries = ['a', 'b'].map((Id) => ({ Id, MessageBody: 'one', DelaySeconds: 9999 }));
  await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  expect(shownTraces(tracing)).toContain('send orders CLIENT !InvalidParameterValue');
});

test.each([0, 5, 7, 8, 9, 10])(
  'with %i attributes of its own a message sent twice has a fresh context each time',
  async (count) => {
    const command = deepFreeze(
      new SendMessageCommand({ QueueUrl, MessageBody: 'one', MessageAttributes: ownAttributes(count) }).input,
    );
    const baggage = propagation.createBaggage({ tenant: { value: 'a' } });
    await context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), async () => {
      await client.send(new SendMessageCommand(command));
      await client.send(new SendMessageCommand(command));
    });
    const messages = await onTheWire();
    if (messages.length < 2) messages.push(...(await onTheWire()));
    for (const message of messages) {
      const names = Object.keys(message.MessageAttributes ?? {}).filter((name) => !name.startsWith('own-'));
      expect(names.sort()).toEqual(count < 9 ? ['baggage', 'traceparent'] : count === 9 ? ['traceparent'] : []);
      expect(Object.keys(message.MessageAttributes ?? {}).length).toBe(count + names.length);
    }
    const ids = messages.map(({ Attributes }) => /Parent=(\w+)/.exec(Attributes?.['AWSTraceHeader'] ?? '')?.[1]);
    expect(ids.sort()).toEqual(
      tracing
        .spans()
        .map((span) => span.spanContext().spanId)
        .sort(),
    );
    expect(tracing.spans().map(({ kind }) => kind)).toEqual([SpanKind.PRODUCER, SpanKind.PRODUCER]);
  },
  20_000,
);

test('attributes that the client leaves out take no place from the context', async () => {
  const MessageAttributes = { ...ownAttributes(9), first: undefined, second: null } as never;
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one', MessageAttributes }));
  const [message] = await onTheWire();
  expect(Object.keys(message?.MessageAttributes ?? {}).sort()).toEqual([
    ...Object.keys(ownAttributes(9)),
    'traceparent',
  ]);
});

test('a trace state of which nothing was valid takes no baggage with it', async () => {
  const headers = {
    traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    tracestate: 'UPPER=case',
    baggage: 'a=b',
  };
  const request = propagation.extract(ROOT_CONTEXT, headers);
  await context.with(request, () => client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' })));
  const [message] = await onTheWire();
  expect(Object.keys(message?.MessageAttributes ?? {}).sort()).toEqual(['baggage', 'traceparent']);
});

test('with no room and no X-Ray header a message goes out as it is, from a CLIENT span', async () => {
  instrumentation.setConfig({ awsTraceHeader: 'off' });
  const MessageAttributes = ownAttributes(10);
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one', MessageAttributes }));
  expect(shownTraces(tracing)).toBe('send orders CLIENT');
  const [message] = await onTheWire();
  expect(message?.Attributes?.['AWSTraceHeader']).toBeUndefined();
  expect(Object.keys(message?.MessageAttributes ?? {})).toHaveLength(10);
});

test('that is said once per queue', async () => {
  const warnings: string[] = [];
  const silent = () => undefined;
  const warn = (...parts: unknown[]) => warnings.push(parts.join(' '));
  diag.setLogger({ warn, error: silent, info: silent, debug: silent, verbose: silent });
  instrumentation.setConfig({ awsTraceHeader: 'off' });
  const MessageAttributes = ownAttributes(10);
  const other = await newQueue(client);
  for (const url of [QueueUrl, QueueUrl, other]) {
    await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'one', MessageAttributes }));
  }
  diag.disable();
  const said = warnings.filter((warning) => warning.includes('no context in a message'));
  expect(said).toHaveLength(2);
  expect(said[1]).toContain(other.split('/').pop());
});

test('the URL of the queue is left out on request', async () => {
  instrumentation.setConfig({ captureQueueUrl: false });
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
  expect(JSON.stringify(tracing.spans()[0]?.attributes)).not.toContain('000000000000');
});

test('credentials in the URL of a queue are recorded nowhere', async () => {
  await tracing.stop();
  tracing = startTracing([instrumentation], { contract: false });
  instrumentation.setConfig({ semconv: 'dup' });
  const secret = QueueUrl.replace('//', '//user:sesame@');
  await client.send(new SendMessageCommand({ QueueUrl: secret, MessageBody: 'one' }));
  for (const message of await receive(client, secret)) {
    await new Promise((resolve) => setImmediate(resolve));
    await remove(client, secret, message);
  }
  const asked = client.send(new SendMessageCommand({ QueueUrl: `${secret}?token=sesame`, MessageBody: 'one' }));
  await asked.catch(() => {}); // servers differ in whether they take such a URL
  const spans = tracing.spans();
  expect(spans.map(({ name }) => name.split(' ')[0]).sort()).toEqual(['delete', 'process', 'receive', 'send', 'send']);
  for (const { name, attributes, status, events } of spans) {
    expect(attributes).toMatchObject({ 'aws.sqs.queue.url': QueueUrl, 'url.full': QueueUrl });
    expect(JSON.stringify([name, attributes, status, events])).not.toContain('sesame');
  }
  expect(JSON.stringify(await tracing.metrics())).not.toContain('sesame');
});

test('a slash at the end of its URL takes nothing from the name of a queue', async () => {
  await client.send(new SendMessageCommand({ QueueUrl: `${QueueUrl}/`, MessageBody: 'one' }));
  expect(shownTraces(tracing)).toBe('send orders PRODUCER');
});

test('a message as large as the service takes is sent with the header alone', async () => {
  const MessageBody = 'x'.repeat(1_048_576);
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  const [message] = await onTheWire();
  expect(message?.MessageAttributes).toBeUndefined();
  expect(message?.Attributes?.['AWSTraceHeader']).toContain(tracing.spans()[0]?.spanContext().spanId);
});

test("a header that the application set stays, and the answer's checksums are those of the application's message", async () => {
  const own = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0';
  const input = {
    QueueUrl,
    MessageBody: 'one',
    MessageAttributes: ownAttributes(2),
    MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: own } },
  };
  const observed = await client.send(new SendMessageCommand(input));
  expect((await onTheWire())[0]?.Attributes?.['AWSTraceHeader']).toBe(own);
  instrumentation.disable();
  const plain = await client.send(new SendMessageCommand(input));
  instrumentation.enable();
  const { MessageId: _, $metadata: __, ...checksums } = plain;
  expect(observed).toMatchObject(checksums);
  expect(Object.keys(observed)).toEqual(Object.keys(plain));
});

test.each([
  ['a text beside null bytes', { DataType: 'String', StringValue: 'x', BinaryValue: null }],
  ['a text beside undefined bytes', { DataType: 'String', StringValue: 'x', BinaryValue: undefined }],
  ['bytes beside a null text', { DataType: 'Binary', StringValue: null, BinaryValue: Buffer.from('x') }],
])("the checksum of an attribute that is %s is the service's", async (_, own) => {
  const input = { QueueUrl, MessageBody: 'one', MessageAttributes: { own } as never };
  const observed = await client.send(new SendMessageCommand(input));
  instrumentation.disable();
  const plain = await client.send(new SendMessageCommand(input));
  instrumentation.enable();
  expect(observed.MD5OfMessageAttributes).toBe(plain.MD5OfMessageAttributes);
});

test("the checksums of a batch's answer are those of the application's messages", async () => {
  const input = {
    QueueUrl,
    Entries: [
      { Id: 'a', MessageBody: 'one' },
      { Id: 'b', MessageBody: 'two', MessageAttributes: ownAttributes(3) },
      {
        Id: 'c',
        MessageBody: 'three',
        MessageAttributes: { own: { DataType: 'Binary', BinaryValue: Buffer.from('é') } },
      },
      { Id: 'd', MessageBody: 'four', MessageAttributes: { own: { DataType: 'Binary', BinaryValue: 'é' as never } } },
    ],
  };
  const observed = await client.send(new SendMessageBatchCommand(input));
  instrumentation.disable();
  const plain = await client.send(new SendMessageBatchCommand(input));
  instrumentation.enable();
  const checksums = ({ Successful }: typeof plain) => Successful?.map(({ MessageId: _, ...rest }) => rest);
  expect(checksums(observed)).toEqual(checksums(plain));
  const keys = ({ Successful }: typeof plain) => Successful?.map((one) => Object.keys(one));
  expect(keys(observed)).toEqual(keys(plain));
});

test('a command may be sent again, and what the application put on its stack runs', async () => {
  const command = new SendMessageCommand({ QueueUrl, MessageBody: 'one' });
  const seen: unknown[] = [];
  command.middlewareStack.add(
    (next) => (args) => {
      seen.push(Object.keys(args.input.MessageAttributes ?? {}));
      return next(args);
    },
    { step: 'build', name: 'watch' },
  );
  const { input } = command;
  Object.freeze(command);
  await client.send(command);
  await client.send(command);
  expect(seen).toEqual([['traceparent'], ['traceparent']]);
  expect(command.input).toBe(input);
  expect(input).toEqual({ QueueUrl, MessageBody: 'one' });
});

test('a command of a subclass with private fields is sent', async () => {
  class TenantCommand extends SendMessageCommand {
    readonly #tenant = 'a';
    override resolveMiddleware(...args: Parameters<SendMessageCommand['resolveMiddleware']>) {
      this.middlewareStack.add(
        (next) => (sent) => next({ ...sent, input: { ...sent.input, MessageBody: this.#tenant } }),
        {
          step: 'initialize',
          name: 'tenant',
          priority: 'high',
          override: true,
        },
      );
      return super.resolveMiddleware(...args);
    }
  }
  await client.send(new TenantCommand({ QueueUrl, MessageBody: 'one' }));
  const [message] = await onTheWire();
  expect(message?.Body).toBe('a');
  expect(message?.MessageAttributes?.['traceparent']).toBeDefined();
});

test('a retry of the client sends the same context again', async () => {
  const sent: string[] = [];
  client.middlewareStack.add(
    (next) => async (args) => {
      const { buffer, byteOffset, byteLength } = (args.request as { body: Uint8Array }).body;
      sent.push(Buffer.from(buffer, byteOffset, byteLength).toString());
      if (sent.length === 1) throw Object.assign(new Error('once'), { name: 'TimeoutError', $retryable: {} });
      return next(args);
    },
    { step: 'finalizeRequest', name: 'fail-once', priority: 'low' },
  );
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
  expect(sent).toHaveLength(2);
  expect(sent[0]).toBe(sent[1]);
  expect(shownTraces(tracing)).toBe('send orders PRODUCER');
});

test('values of getters and private fields of an input arrive', async () => {
  class Order {
    readonly #id = 7;
    readonly QueueUrl = QueueUrl;
    get MessageBody(): string {
      return `order ${this.#id}`;
    }
  }
  await client.send(new SendMessageCommand(new Order()));
  const [message] = await onTheWire();
  expect(message?.Body).toBe('order 7');
  expect(message?.MessageAttributes?.['traceparent']).toBeDefined();
});

test('a failed send has the error, and the id of its request', async () => {
  const unknown = `${QueueUrl}-unknown`;
  const error = await client
    .send(new SendMessageCommand({ QueueUrl: unknown, MessageBody: 'one' }))
    .catch((error) => error);
  expect(error.name).toBe('QueueDoesNotExist');
  const [send] = tracing.spans();
  expect(send?.attributes['error.type']).toMatch(/QueueDoesNotExist|NonExistentQueue/);
  expect(send?.attributes['aws.request_id']).toBe(error.$metadata.requestId);
});

test('an aborted send fails as it would, and its span ends with that error', async () => {
  const aborting = new AbortController();
  aborting.abort();
  const sent = client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }), { abortSignal: aborting.signal });
  await expect(sent).rejects.toMatchObject({ name: 'AbortError' });
  expect(shownTraces(tracing)).toBe('send orders PRODUCER !AbortError');
});

describe('with callbacks', () => {
  type Answer = { error: unknown; output: unknown; active: unknown };
  const called = (call: (callback: (error: unknown, output?: unknown) => void) => unknown) =>
    new Promise<Answer>((resolve) => {
      const returned = call((error, output) => resolve({ error, output, active: context.active() }));
      expect(returned).toBeUndefined();
    });

  test.each([
    ['alone', (...args: [unknown, unknown]) => args],
    ['after options', (command: unknown, callback: unknown) => [command, {}, callback]],
  ])(
    '%s, a send answers in the context of the call',
    async (_, argumentsOf) => {
      await tracing.inSpan('app', async () => {
        const ambient = context.active();
        const { error, output, active } = await called((callback) => {
          const command = new SendMessageCommand({ QueueUrl, MessageBody: 'one' });
          return (client.send as (...args: unknown[]) => unknown)(...argumentsOf(command, callback));
        });
        expect(error).toBeNull();
        expect(output).toMatchObject({ MessageId: expect.any(String) });
        expect(active).toBe(ambient);
      });
      expect(shownTraces(tracing)).toBe('app INTERNAL\n└─ send orders PRODUCER');
    },
    10_000,
  );

  test('an error ends the span', async () => {
    const { error, output } = await called((callback) =>
      client.send(new SendMessageCommand({ QueueUrl: `${QueueUrl}-unknown`, MessageBody: 'one' }), callback),
    );
    expect(error).toMatchObject({ name: 'QueueDoesNotExist' });
    expect(output).toBeUndefined();
    expect(tracing.openSpans).toBe(0);
    expect(tracing.spans()[0]?.status.code).toBe(2);
  });
});

test('the methods of the aggregated client are traced, in both manners', async () => {
  const sqs = new SQS(clientConfig());
  await sqs.sendMessage({ QueueUrl, MessageBody: 'one' });
  await new Promise<void>((resolve, reject) =>
    sqs.sendMessage({ QueueUrl, MessageBody: 'two' }, (error) => (error ? reject(error) : resolve())),
  );
  sqs.destroy();
  expect(shownTraces(tracing)).toBe('send orders PRODUCER\nsend orders PRODUCER');
});

test('a custom context in one entry of a batch is kept, the others get their own', async () => {
  const custom = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const Entries = [
    {
      Id: 'a',
      MessageBody: 'one',
      MessageAttributes: { traceparent: { DataType: 'String', StringValue: custom } },
    },
    { Id: 'b', MessageBody: 'two' },
  ];
  await client.send(new SendMessageBatchCommand(deepFreeze({ QueueUrl, Entries })));
  const carried = new Map(
    (await onTheWire()).map(({ Body, MessageAttributes }) => [Body, MessageAttributes?.['traceparent']?.StringValue]),
  );
  expect(carried.get('one')).toBe(custom);
  expect(carried.get('two')).toBe(traceparentOf(tracing.spans()[0]));
  expect(tracing.spans()[1]?.links).toHaveLength(2);
});
