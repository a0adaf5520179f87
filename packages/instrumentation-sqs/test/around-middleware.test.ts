/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { PublishCommand } from '@aws-sdk/client-sns';
import {
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { trace } from '@opentelemetry/api';
import { applyInstrumentation, startTracing, type Tracing } from '@otel-messaging/test-utils';
import { SqsInstrumentation } from '../src';
import { attributesMd5 } from '../src/attributes-md5';
import { newSnsClient, newTopic } from './sns';
import { asStored, lines, newClient, newQueue, ownAttributes, shownTraces, stringAttributes } from './sqs';

/** What the application's middleware sees of a call, and of its answer; and what it changes, wherever it stands. */

const instrumentation = new SqsInstrumentation();
applyInstrumentation(instrumentation, require);

let tracing: Tracing;
let sqs: SQSClient;
let QueueUrl: string;

beforeEach(async () => {
  tracing = startTracing([instrumentation]);
  sqs = newClient();
  QueueUrl = await newQueue(sqs);
});

afterEach(async () => {
  sqs.destroy();
  await tracing.stop();
});

// biome-ignore lint/suspicious/noExplicitAny: of any command
type Any = any;
type Middleware = Parameters<SQSClient['middlewareStack']['add']>[0];

const stored = () => asStored(instrumentation, sqs, QueueUrl);
const send = (client: SQSClient, input: object) =>
  client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one', ...input }));

const PLACES: [string, object][] = [
  ['initialize', { step: 'initialize' }],
  ['serialize', { step: 'serialize' }],
  ['serialize, first', { step: 'serialize', priority: 'high' }],
  ['right before the serializer', { relation: 'before', toMiddleware: 'serializerMiddleware' }],
];

test.each(PLACES.flatMap(([place, where]) => [true, false].map((isFirst) => [place, isFirst, where] as const)))(
  'an attribute that middleware adds is counted: %s, added before the first call: %p',
  async (_, isFirst, where) => {
    if (!isFirst) {
      await send(sqs, {});
      await stored();
    }
    const middleware: Middleware = (next) => (args: Any) => {
      const MessageAttributes = { ...args.input.MessageAttributes, ...stringAttributes({ tenant: 'a' }) };
      return next('MessageBody' in args.input ? { ...args, input: { ...args.input, MessageAttributes } } : args);
    };
    if ('relation' in where) sqs.middlewareStack.addRelativeTo(middleware, where as Any);
    else sqs.middlewareStack.add(middleware, where as Any);
    await send(sqs, { MessageAttributes: ownAttributes(9) });
    const [message] = await stored();
    expect(Object.keys(message?.MessageAttributes ?? {})).toHaveLength(10);
    expect(message?.Attributes?.['AWSTraceHeader']).toBeDefined();
  },
);

test('an input that changes after the call is sent as the client finds it', async () => {
  await send(sqs, {});
  await stored();
  const input = { QueueUrl, MessageBody: 'before' };
  const sending = sqs.send(new SendMessageCommand(input));
  input.MessageBody = 'after';
  await sending;
  expect((await stored()).map(({ Body }) => Body)).toEqual(['after']);
});

test('an input that a command replaces when it is sent is the one that is sent', async () => {
  class Stamped extends SendMessageCommand {
    override resolveMiddleware(...args: Parameters<SendMessageCommand['resolveMiddleware']>) {
      Object.assign(this, { input: { ...this.input, MessageBody: `${this.input.MessageBody}!` } });
      return super.resolveMiddleware(...args);
    }
  }
  await sqs.send(new Stamped({ QueueUrl, MessageBody: 'one' }));
  const [message] = await stored();
  expect(message?.Body).toBe('one!');
  expect(message?.MessageAttributes).toHaveProperty('traceparent');
});

test('what middleware does around a poll is traced, and its messages carry their contexts; the request makes no span', async () => {
  const audit = await newQueue(sqs);
  const auditor = newClient();
  sqs.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const answer = await next(args);
        if (commandName !== 'ReceiveMessageCommand') return answer;
        trace.getTracer('application').startSpan('fetch').end();
        await auditor.send(new SendMessageCommand({ QueueUrl: audit, MessageBody: 'polled' }));
        return answer;
      },
    { step: 'initialize' },
  );
  // As instrumentations of HTTP do it.
  const { requestHandler } = sqs.config;
  const handle = requestHandler.handle.bind(requestHandler);
  requestHandler.handle = (...args: Parameters<typeof handle>) => {
    trace.getTracer('http').startSpan('POST').end();
    return handle(...args);
  };
  await tracing.inSpan('app', () => sqs.send(new ReceiveMessageCommand({ QueueUrl })));
  auditor.destroy();
  expect(shownTraces(tracing)).toBe(
    lines(`
      app INTERNAL
      ├─ fetch INTERNAL
      └─ send orders PRODUCER
    `),
  );
  const [message] = await asStored(instrumentation, sqs, audit);
  expect(message?.MessageAttributes).toHaveProperty('traceparent');
});

test('middleware sees the answers that it would see without us', async () => {
  const answers: Any[] = [];
  sqs.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      answers.push(structuredClone(result.output));
      return result;
    },
    { step: 'serialize', priority: 'high' },
  );
  const MessageAttributes = stringAttributes({ own: 'x' });
  await send(sqs, { MessageAttributes });
  await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
  const [sent, received] = answers;
  expect(sent.MD5OfMessageAttributes).toBe(attributesMd5(MessageAttributes));
  expect(sent.MD5OfMessageSystemAttributes).toBeUndefined();
  expect(received.Messages.map((message: object) => Object.keys(message))).toEqual([
    ['MessageId', 'ReceiptHandle', 'MD5OfBody', 'Body'],
  ]);
});

test('a batch that middleware sends in parts has the checksums of all its entries', async () => {
  sqs.middlewareStack.add(
    (next) => async (args: Any) => {
      const { Entries } = args.input;
      if (!(Entries?.length > 1)) return next(args);
      const part = (from: number, to?: number): Any =>
        next({ ...args, input: { ...args.input, Entries: Entries.slice(from, to) } });
      const [first, second] = [await part(0, 1), await part(1)];
      second.output.Successful.unshift(...first.output.Successful);
      return second;
    },
    { step: 'initialize' },
  );
  const MessageAttributes = stringAttributes({ own: 'x' });
  const Entries = ['a', 'b', 'c'].map((Id) => ({ Id, MessageBody: Id, MessageAttributes }));
  const { Successful } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  expect(Successful?.map(({ MD5OfMessageAttributes: md5 }) => md5)).toEqual(
    Array(3).fill(attributesMd5(MessageAttributes)),
  );
  expect(JSON.stringify(Successful)).not.toContain('MD5OfMessageSystemAttributes');
  expect(await stored()).toHaveLength(3);
});

test('messages that middleware has copied are handled in their traces', async () => {
  sqs.middlewareStack.add(
    (next) => async (args) => {
      const result: Any = await next(args);
      const { Messages } = result.output;
      if (Messages === undefined) return result;
      return { ...result, output: { ...result.output, Messages: Messages.map((one: object) => ({ ...one, own: 1 })) } };
    },
    { step: 'initialize' },
  );
  await send(sqs, {});
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
  for (const message of Messages) {
    expect(message).toMatchObject({ own: 1 });
    trace.getTracer('application').startSpan('work').end();
  }
  expect(shownTraces(tracing)).toBe(
    lines(`
      send orders PRODUCER
      └─ process orders CONSUMER  → send orders, receive orders
         └─ work INTERNAL
      receive orders CLIENT  → send orders
    `),
  );
});

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['no answer', { response: {} }],
  ['an answer', { response: {}, output: { $metadata: {}, Messages: [{ MessageId: 'm', Body: 'made up' }] } }],
])('middleware that answers in place of the service, and without a promise, may give %s', async (_, result) => {
  const answer: Middleware = () => (() => result) as never;
  sqs.middlewareStack.addRelativeTo(answer, { relation: 'after', toMiddleware: 'endpointV2Middleware' });
  const receive = () => sqs.send(new ReceiveMessageCommand({ QueueUrl })).catch(({ name }) => name);
  const observed = await receive();
  instrumentation.disable();
  const plain = await receive();
  instrumentation.enable();
  expect(JSON.stringify(observed)).toBe(JSON.stringify(plain));
});

test('fields of a context that middleware asks for are given', async () => {
  await send(sqs, { MessageAttributes: stringAttributes({ own: 'x' }) });
  sqs.middlewareStack.add(
    (next) => (args: Any) => next({ ...args, input: { ...args.input, MessageAttributeNames: ['traceparent', 'own'] } }),
    { step: 'initialize' },
  );
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
  expect(Messages.map(({ MessageAttributes }) => Object.keys(MessageAttributes ?? {}).sort())).toEqual([
    ['own', 'traceparent'],
  ]);
});

test.each([undefined, 'news'])(
  'a message to a topic, of the largest size, with the subject %s, is published',
  async (Subject) => {
    const sns = newSnsClient();
    const TopicArn = await newTopic(sns);
    const MessageAttributes = ownAttributes(1);
    const [[name, { DataType, StringValue }]] = Object.entries(MessageAttributes) as Any;
    const Message = 'x'.repeat(262_144 - name.length - DataType.length - StringValue.length);
    await sns.send(new PublishCommand({ TopicArn, Subject, Message, MessageAttributes }));
    sns.destroy();
    expect(tracing.spans().map(({ status }) => status.code)).toEqual([0]);
  },
);
