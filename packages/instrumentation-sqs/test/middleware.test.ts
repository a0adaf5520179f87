/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { PublishBatchCommand, PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import {
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AwsInstrumentation } from '@opentelemetry/instrumentation-aws-sdk';
import { applyInstrumentation, deepFreeze, startTracing, type Tracing } from '@otel-messaging/test-utils';
import { SqsInstrumentation } from '../src';
import { newSnsClient, newTopic, subscribedQueue } from './sns';
import { asStored, lines, newClient, newQueue, ownAttributes, remove, shownTraces, stringAttributes } from './sqs';

const instrumentation = new SqsInstrumentation();
applyInstrumentation(instrumentation, require);

let tracing: Tracing;
let sqs: SQSClient;
let sns: SNSClient;
let QueueUrl: string;

beforeEach(async () => {
  tracing = startTracing([instrumentation]);
  sqs = newClient();
  sns = newSnsClient();
  QueueUrl = await newQueue(sqs);
});

afterEach(async () => {
  sqs.destroy();
  sns.destroy();
  instrumentation.setConfig({});
  await tracing.stop();
});

// biome-ignore lint/suspicious/noExplicitAny: of any command
type Input = Record<string, any>;

/** Middleware of the application, which changes the input in place, or hands on another. */
function initialize(client: SQSClient | SNSClient, change: (input: Input) => Input | undefined): void {
  const { middlewareStack } = client as SQSClient;
  middlewareStack.add(
    (next) => (args) => {
      const input = change(args.input);
      return next(input === undefined ? args : { ...args, input: input as typeof args.input });
    },
    { step: 'initialize' },
  );
}

const onTheWire = (url = QueueUrl) => asStored(instrumentation, sqs, url);
const spanNamed = (name: string) => tracing.spans().find((span) => span.name.startsWith(name));
const idOf = (name: string) => spanNamed(name)?.spanContext().spanId;
const namesOf = ({ MessageAttributes }: Message) => Object.keys(MessageAttributes ?? {}).sort();
const carried = ({ MessageAttributes, Attributes }: Message) =>
  MessageAttributes?.['traceparent']?.StringValue?.split('-')[2] ??
  /Parent=(\w+)/.exec(Attributes?.['AWSTraceHeader'] ?? '')?.[1];
const inBaggage = <T>(code: () => Promise<T>) => {
  const baggage = propagation.createBaggage({ tenant: { value: 'a' } });
  return tracing.inSpan('app', code, propagation.setBaggage(ROOT_CONTEXT, baggage));
};

/** As middleware does it that tells each message's tenant. */
function withTenant(input: Input): Input | undefined {
  const attributes = (MessageAttributes: object) => ({ ...MessageAttributes, ...stringAttributes({ own: 'tenant' }) });
  if (input['Entries']) {
    return {
      ...input,
      Entries: input['Entries'].map((e: Input) => ({ ...e, MessageAttributes: attributes(e['MessageAttributes']) })),
    };
  }
  if (!('MessageBody' in input || 'Message' in input)) return undefined;
  return { ...input, MessageAttributes: attributes(input['MessageAttributes']) };
}

test.each([6, 7, 8, 9])(
  'an attribute that middleware adds to %i is sent, and leaves that much less room for a context',
  async (count) => {
    initialize(sqs, withTenant);
    initialize(sns, withTenant);
    const TopicArn = await newTopic(sns);
    const subscribed = await subscribedQueue(sns, sqs, TopicArn, 'raw');
    const MessageAttributes = ownAttributes(count);
    await inBaggage(async () => {
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one', MessageAttributes }));
      await sns.send(new PublishCommand({ TopicArn, Message: 'one', MessageAttributes }));
    });
    const more = { 6: ['baggage', 'traceparent'], 7: ['baggage', 'traceparent'], 8: ['traceparent'], 9: [] }[count]!;
    for (const [url, name] of [
      [QueueUrl, 'send'],
      [subscribed, 'publish'],
    ] as const) {
      const [message] = await onTheWire(url);
      expect(namesOf(message!)).toEqual([...more, ...Object.keys(MessageAttributes), 'own'].sort());
      expect(carried(message!)).toBe(idOf(name));
    }
  },
);

test('an attribute that middleware adds to each entry of a batch leaves them their contexts', async () => {
  initialize(sqs, withTenant);
  const entry = (Id: string, count: number) => ({ Id, MessageBody: Id, MessageAttributes: ownAttributes(count) });
  const Entries = [entry('a', 0), entry('b', 8), entry('c', 9)];
  const { Successful } = await sqs.send(new SendMessageBatchCommand(deepFreeze({ QueueUrl, Entries })));
  expect(Successful).toHaveLength(3);
  const created = tracing.spans().filter(({ name }) => name.startsWith('create'));
  const messages = await onTheWire();
  messages.sort((a, b) => (a.Body! < b.Body! ? -1 : 1));
  expect(messages.map(carried)).toEqual(created.map((span) => span.spanContext().spanId));
  expect(messages.map((message) => namesOf(message).length)).toEqual([2, 10, 10]);
});

test('entries that middleware puts in another order keep their contexts, one that it adds has that of the send', async () => {
  initialize(sqs, ({ Entries, ...rest }) =>
    Entries === undefined
      ? undefined
      : { ...rest, Entries: [...Entries.toReversed(), { Id: 'audit', MessageBody: 'audit' }] },
  );
  const Entries = ['a', 'b'].map((Id) => ({ Id, MessageBody: Id }));
  await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  const [a, b] = tracing.spans().filter(({ name }) => name.startsWith('create'));
  const messages = await onTheWire();
  expect(Object.fromEntries(messages.map((message) => [message.Body, carried(message)]))).toEqual({
    a: a?.spanContext().spanId,
    b: b?.spanContext().spanId,
    audit: idOf('send'),
  });
});

test('what middleware sets on an input stays there when the same command is sent again', async () => {
  const fifo = await newQueue(sqs, { FifoQueue: 'true' });
  let ids = 0;
  initialize(sqs, (input) => {
    if ('MessageBody' in input) input['MessageDeduplicationId'] ??= `id-${++ids}`;
    return undefined;
  });
  const command = new SendMessageCommand({ QueueUrl: fifo, MessageBody: 'one', MessageGroupId: 'g' });
  const first = await sqs.send(command);
  const second = await sqs.send(command);
  expect(command.input.MessageDeduplicationId).toBe('id-1');
  expect(second.MessageId).toBe(first.MessageId); // no second message
});

test('an input that middleware copies carries its context in the X-Ray header too', async () => {
  initialize(sns, (input) => ({ ...input }));
  const TopicArn = await newTopic(sns);
  const subscribed = await subscribedQueue(sns, sqs, TopicArn, 'raw');
  await sns.send(new PublishCommand({ TopicArn, Message: 'one', MessageAttributes: ownAttributes(10) }));
  const [message] = await onTheWire(subscribed);
  expect(carried(message!)).toBe(idOf('publish'));
});

test('a body that middleware keeps elsewhere makes room for a context', async () => {
  const offload = (field: string) => (input: Input) =>
    input[field]?.length > 1_000_000 ? { ...input, [field]: 's3://bucket/key' } : undefined;
  initialize(sqs, offload('MessageBody'));
  initialize(sns, offload('Message'));
  const TopicArn = await newTopic(sns);
  const subscribed = await subscribedQueue(sns, sqs, TopicArn, 'raw');
  const large = 'x'.repeat(1_100_000);
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: large }));
  await sns.send(new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries: [{ Id: 'a', Message: 'small' }] }));
  await sns.send(new PublishCommand({ TopicArn, Message: large }));
  const messages = [...(await onTheWire()), ...(await onTheWire(subscribed))];
  expect(messages.map(namesOf)).toEqual([['traceparent'], ['traceparent'], ['traceparent']]);
});

test('a header that the application sets stays, also where its middleware copies the input', async () => {
  const foreign = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';
  initialize(sqs, (input) => structuredClone(input));
  sqs.middlewareStack.add(
    (next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers['X-Amzn-Trace-Id'] = foreign;
      return next(args);
    },
    { step: 'build' },
  );
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one', MessageAttributes: ownAttributes(10) }));
  const [message] = await onTheWire();
  expect(message?.Attributes?.['AWSTraceHeader']).toBe(foreign);
});

describe.each(['beside upstream', 'with suppressHttpSpans'])('%s', (how) => {
  const upstream = new AwsInstrumentation();
  beforeAll(() => {
    if (how === 'beside upstream') applyInstrumentation(upstream, require);
  });
  afterAll(() => upstream.disable());

  test('what middleware does is traced as ever', async () => {
    if (how === 'beside upstream') upstream.setTracerProvider(trace.getTracerProvider());
    else instrumentation.setConfig({ suppressHttpSpans: true });
    const audit = await newQueue(sqs);
    const auditor = newClient();
    sqs.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          trace.getTracer('application').startSpan(`before ${commandName}`).end();
          await auditor.send(new SendMessageCommand({ QueueUrl: audit, MessageBody: commandName }));
          return next(args);
        },
      { step: 'initialize' },
    );
    tracing.reset();
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
    auditor.destroy();
    expect(shownTraces(tracing)).toBe(
      lines(`
        send orders PRODUCER
        ├─ before SendMessageCommand INTERNAL
        └─ send orders PRODUCER
      `),
    );
    const audited = tracing.spans().find(({ name, parentSpanContext }) => name.startsWith('send') && parentSpanContext);
    const [message] = await onTheWire(audit);
    expect(carried(message!)).toBe(audited?.spanContext().spanId);
  });
});

test('checksums are those of what the application has sent, with what its middleware added', async () => {
  initialize(sqs, withTenant);
  const send = () => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
  const observed = await send();
  instrumentation.disable();
  const plain = await send();
  instrumentation.enable();
  expect(observed.MD5OfMessageAttributes).toBe(plain.MD5OfMessageAttributes);
});

test('attributes that middleware asks for are given, and no more', async () => {
  await sqs.send(
    new SendMessageCommand({
      QueueUrl,
      MessageBody: 'one',
      MessageAttributes: stringAttributes({ own: 'x', other: 'y' }),
    }),
  );
  initialize(sqs, (input) => {
    if ('WaitTimeSeconds' in input) input['MessageAttributeNames'] = ['own'];
    return undefined;
  });
  const command = new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 });
  const { Messages = [] } = await sqs.send(command);
  expect(Messages.map(namesOf)).toEqual([['own']]);
  expect(command.input).toEqual({ QueueUrl, WaitTimeSeconds: 5, MessageAttributeNames: ['own'] });
  for (const message of Messages) await remove(sqs, QueueUrl, message);
  expect(spanNamed('process')?.parentSpanContext?.spanId).toBe(idOf('send'));
});

test('a client that has kept its middleware from calls before it was traced carries contexts too', async () => {
  const cached = newClient({ cacheMiddleware: true });
  const send = () => cached.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
  instrumentation.disable();
  await send();
  instrumentation.enable();
  await send();
  await send();
  const messages = await onTheWire();
  expect(messages.map(carried)).toEqual([undefined, ...tracing.spans().map((span) => span.spanContext().spanId)]);
  cached.destroy();
});

test("a command of the application's own class may have its input replaced", async () => {
  class Own extends SendMessageCommand {}
  sqs.middlewareStack.add(
    (next) => (args) => {
      args.input = { ...args.input, MessageBody: 'two' } as never;
      return next(args);
    },
    { step: 'initialize' },
  );
  await sqs.send(new Own({ QueueUrl, MessageBody: 'one' }));
  const [message] = await onTheWire();
  expect([message?.Body, message && carried(message)]).toEqual(['two', idOf('send')]);
});
