/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { SendMessageBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { applyInstrumentation, startTracing, type Tracing } from '@otel-messaging/test-utils';
import { SqsInstrumentation } from '../src';
import { keepForeignHeaders, OwnTraceHeader } from '../src/foreign-header';
import { newClient, newQueue, ownAttributes, receive } from './sqs';

const instrumentation = new SqsInstrumentation();
applyInstrumentation(instrumentation, require);

const FOREIGN = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';

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
  await tracing.stop();
});

/** As the X-Ray SDK does it: a middleware that puts the header on the request that is being built. */
function withHeader(name: string, when: { priority?: 'low'; override?: boolean } = {}): void {
  client.middlewareStack.add(
    (next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers[name] = FOREIGN;
      return next(args);
    },
    { step: 'build', name: 'XRaySDKInstrumentation', ...when },
  );
}

/** The X-Ray headers of the next messages, by their bodies. */
async function headers(count: number): Promise<Record<string, string | undefined>> {
  const found: Record<string, string | undefined> = {};
  while (Object.keys(found).length < count) {
    const messages = await receive(client, QueueUrl, { MessageSystemAttributeNames: ['AWSTraceHeader'] });
    for (let i = 0; i < messages.length; i++) {
      found[messages[i]!.Body!] = messages[i]!.Attributes?.['AWSTraceHeader'];
    }
  }
  return found;
}

test.each(['X-Amzn-Trace-Id', 'x-amzn-trace-id'])('a header %s that a middleware sets stays', async (name) => {
  withHeader(name);
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'é', MessageAttributes: ownAttributes(10) }));
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'two' }));
  expect(await headers(2)).toEqual({ é: FOREIGN, two: FOREIGN });
});

test('it is for all entries of a batch but those that have their own', async () => {
  withHeader('X-Amzn-Trace-Id');
  const own = FOREIGN.replace('Sampled=1', 'Sampled=0');
  const MessageSystemAttributes = { AWSTraceHeader: { DataType: 'String', StringValue: own } };
  const Entries = [
    { Id: 'a', MessageBody: 'one' },
    { Id: 'b', MessageBody: 'two', MessageSystemAttributes },
  ];
  const { Failed } = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  expect(Failed ?? []).toEqual([]);
  expect(await headers(2)).toEqual({ one: FOREIGN, two: own });
});

test('without one the header is ours', async () => {
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
  const { traceId, spanId } = tracing.spans()[0]!.spanContext();
  expect(await headers(1)).toEqual({
    one: `Root=1-${traceId.slice(0, 8)}-${traceId.slice(8)};Parent=${spanId};Sampled=1`,
  });
});

test('a request in the form of older clients loses our attribute, and nothing else', () => {
  let sent: { headers: Record<string, string>; body: unknown } | undefined;
  let middleware: ((next: (args: unknown) => void) => (args: unknown) => void) | undefined;
  keepForeignHeaders({ middlewareStack: { add: (added: typeof middleware) => (middleware = added) } });
  const header = new OwnTraceHeader('ours');
  const body =
    'Action=SendMessage&Version=2012-11-05&MessageBody=a&MessageSystemAttribute.1.Name=AWSTraceHeader&MessageSystemAttribute.1.Value.StringValue=ours';
  middleware?.((args) => {
    sent = (args as { request: typeof sent }).request;
  })({
    input: { MessageBody: 'a', MessageSystemAttributes: { AWSTraceHeader: header } },
    request: { headers: { 'x-amzn-trace-id': FOREIGN, 'content-length': String(body.length) }, body },
  });
  const expected = 'Action=SendMessage&Version=2012-11-05&MessageBody=a';
  expect(sent?.body).toBe(expected);
  expect(sent?.headers['content-length']).toBe(String(expected.length));
});
