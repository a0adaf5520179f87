/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { ListQueuesCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { trace } from '@opentelemetry/api';
import { AwsInstrumentation } from '@opentelemetry/instrumentation-aws-sdk';
import { applyInstrumentation, startTracing, type Tracing } from '@otel-messaging/test-utils';
import { SqsInstrumentation } from '../src';
import { clientConfig, newClient, newQueue, receive, remove } from './sqs';

type Send = (this: unknown, ...args: unknown[]) => unknown;
type Base = new (config?: unknown) => { readonly config: unknown; send: Send };

// As where no hook sees the package of a client, but that package requires its base class.
const { Client } = require('@smithy/core/client') as { readonly Client: Base };
const send = Client.prototype.send;
const instrumentation = new SqsInstrumentation();
applyInstrumentation(instrumentation, require, ['@smithy/core']);

const client = newClient();
let tracing: Tracing;

beforeEach(() => {
  instrumentation.enable();
  tracing = startTracing([instrumentation]);
});
afterEach(() => tracing.stop());
afterAll(() => {
  instrumentation.disable();
  client.destroy();
});

/** After ours has written into the request. */
const LATE = { step: 'build' } as const;
const names = () => tracing.spans().map(({ name }) => name.replace(/ .*/, ''));
const message = (QueueUrl: string) => new SendMessageCommand({ QueueUrl, MessageBody: 'one' });

/** A client whose class has this name, and a command that notes what the base class is called with. */
function service(name: string, config: unknown) {
  const calls: unknown[][] = [];
  const resolveMiddleware = () => async (command: unknown) => {
    calls.push([command]);
    return { output: 'answered' };
  };
  const type = { [name]: class extends Client {} }[name] as Base;
  const command = Object.assign(new SendMessageCommand({ QueueUrl: 'http://localhost/q', MessageBody: 'one' }), {
    resolveMiddleware,
  });
  return { client: new type(config), calls, command };
}

test('a client whose package no hook has seen is traced from its first call on', async () => {
  const QueueUrl = await newQueue(client);
  await client.send(message(QueueUrl));
  for (const received of await receive(client, QueueUrl)) await remove(client, QueueUrl, received);
  expect(names().sort()).toEqual(['delete', 'process', 'receive', 'send']);
  expect(Object.hasOwn(SQSClient.prototype, 'send')).toBe(false);
});

test('so are subclasses, with a send of their own too, and each call has one span', async () => {
  class Plain extends SQSClient {}
  class Own extends SQSClient {
    override send(...args: [never]): never {
      return super.send(...args) as never;
    }
  }
  const QueueUrl = await newQueue(client);
  for (const type of [Plain, Own]) await new type(clientConfig()).send(message(QueueUrl) as never);
  expect(names()).toEqual(['send', 'send']);
});

test('the field for system attributes is that of the application, or the one that each version knows', async () => {
  const QueueUrl = await newQueue(client);
  const inputs: object[] = [];
  client.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        if (commandName === 'ReceiveMessageCommand') inputs.push(args.input);
        return next(args);
      },
    LATE,
  );
  await client.send(new ReceiveMessageCommand({ QueueUrl }));
  await client.send(new ReceiveMessageCommand({ QueueUrl, MessageSystemAttributeNames: ['SenderId'] }));
  expect(
    inputs.map((input) => Object.keys(input).filter((name) => /^(MessageSystem)?AttributeNames/.test(name))),
  ).toEqual([['AttributeNames'], ['MessageSystemAttributeNames']]);
});

test.each([
  ['S3Client', { serviceId: 'S3' }],
  ['SQSClient', { serviceId: 'S3' }],
  ['Client', {}],
])('a client named %s of %j is left as it is', async (name, config) => {
  const { client: other, calls, command } = service(name, config);
  expect(await other.send(command)).toBe('answered');
  expect(calls[0]?.[0]).toBe(command);
  expect(names()).toEqual([]);
});

test('a configuration that throws does so for the client alone', async () => {
  const { client: hostile, command } = service('SQSClient', {});
  let reads = 0;
  Object.defineProperty(hostile, 'config', {
    get: () => {
      reads++;
      throw new RangeError('hostile');
    },
  });
  expect(() => hostile.send(command)).toThrow('hostile');
  expect(reads).toBe(2); // once by us
});

test('send without a client fails as it does without us', () => {
  const failure = (code: Send) => {
    try {
      return code.call(undefined, new SendMessageCommand({ QueueUrl: 'q', MessageBody: 'one' }));
    } catch (error) {
      return String(error);
    }
  };
  expect(failure(Client.prototype.send)).toBe(failure(send));
});

test('disabled, the very same function is there; enabled again, and twice, each call has one span', async () => {
  const QueueUrl = await newQueue(client);
  expect(Client.prototype.send).not.toBe(send);
  instrumentation.disable();
  expect(Client.prototype.send).toBe(send);
  await client.send(message(QueueUrl));
  expect(names()).toEqual([]);
  instrumentation.enable();
  instrumentation.enable();
  await client.send(message(QueueUrl));
  expect(names()).toEqual(['send']);
});

test("upstream's instrumentation may come after the first call: each call has one span, ours", async () => {
  const QueueUrl = await newQueue(client);
  await client.send(message(QueueUrl));
  const upstream = new AwsInstrumentation();
  upstream.setTracerProvider(trace.getTracerProvider());
  const theirs = () =>
    tracing.spans().filter(({ instrumentationScope }) => instrumentationScope.name.endsWith('aws-sdk'));
  applyInstrumentation(upstream, require, ['@smithy/core', '@smithy/smithy-client', '@smithy/middleware-stack']);
  try {
    await client.send(message(QueueUrl));
    expect(names().filter((name) => name === 'send')).toHaveLength(2);
    expect(theirs()).toEqual([]);
    await newClient().send(new ListQueuesCommand({}));
    expect(theirs()).toHaveLength(1); // what is not ours to trace
  } finally {
    upstream.disable();
  }
});

test('once the package of the client is seen, its own class is traced, and nothing twice', async () => {
  const QueueUrl = await newQueue(client);
  await client.send(message(QueueUrl));
  applyInstrumentation(instrumentation, require, ['@aws-sdk/client-sqs']);
  await client.send(message(QueueUrl));
  instrumentation.disable();
  expect(Object.hasOwn(SQSClient.prototype, 'send')).toBe(false);
  instrumentation.enable();
  await client.send(message(QueueUrl));
  expect(names()).toEqual(['send', 'send', 'send']);
});
