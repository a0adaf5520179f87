/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { PublishBatchCommand, PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import {
  applyInstrumentation,
  outcomeOf,
  Random,
  shown,
  startTracing,
  type Tracing,
  varied,
} from '@otel-messaging/test-utils';
import { SqsInstrumentation } from '../src';
import { newSnsClient, newTopic } from './sns';
import { newClient, newQueue, ownAttributes } from './sqs';

/**
 * Valid, odd and malformed inputs, the same with and without instrumentation: what the application sees of a call, and of
 * its own objects, must not differ.
 */
const CASES = 60;

const instrumentation = new SqsInstrumentation({ followIndex: true });
applyInstrumentation(instrumentation, require);

let tracing: Tracing;
let sqs: SQSClient;
let sns: SNSClient;
let QueueUrl: string;
let TopicArn: string;

beforeAll(async () => {
  tracing = startTracing([instrumentation], { contract: false }); // odd destinations have odd names
  sqs = newClient({ maxAttempts: 1 });
  sns = newSnsClient();
  QueueUrl = await newQueue(sqs);
  TopicArn = await newTopic(sns);
});

afterAll(async () => {
  sqs.destroy();
  sns.destroy();
  await tracing.stop();
});

/** After an input that it could not write a client of SNS begins the next request with what it had written of that. */
function freshSns(): SNSClient {
  sns.destroy();
  sns = newSnsClient({ maxAttempts: 1 });
  return sns;
}

interface Kind {
  input(random: Random): object;
  // biome-ignore lint/suspicious/noExplicitAny: inputs that the types refuse
  send(input: any): unknown;
}

const KINDS: Readonly<Record<string, Kind>> = {
  SendMessage: {
    input: (random) => ({ QueueUrl, ...sent(random, 'MessageBody'), DelaySeconds: random.pick([undefined, 0, 1000]) }),
    send: (input) => sqs.send(new SendMessageCommand(input)),
  },
  SendMessageBatch: {
    input: (random) => ({ QueueUrl, Entries: entries(random, (id) => ({ Id: id, ...sent(random, 'MessageBody') })) }),
    send: (input) => sqs.send(new SendMessageBatchCommand(input)),
  },
  Publish: {
    input: (random) => ({ ...target(random), ...sent(random, 'Message'), Subject: random.pick([undefined, 'news']) }),
    send: (input) => freshSns().send(new PublishCommand(input)),
  },
  PublishBatch: {
    input: (random) => ({
      TopicArn,
      PublishBatchRequestEntries: entries(random, (id) => ({ Id: id, ...sent(random, 'Message') })),
    }),
    send: (input) => freshSns().send(new PublishBatchCommand(input)),
  },
  ReceiveMessage: {
    input: (random) => ({
      QueueUrl: `${QueueUrl}${random.pick(['', '', '-no'])}`,
      WaitTimeSeconds: random.pick([0, 0, 99]),
      VisibilityTimeout: 0,
      MaxNumberOfMessages: random.pick([undefined, 1, 10, 11]),
      MessageAttributeNames: random.pick([undefined, [], ['All'], ['own.*', 'trace.*'], ['own-1', 'own-1']]),
      AttributeNames: random.pick([undefined, undefined, ['All'], ['SenderId']]),
      MessageSystemAttributeNames: random.pick([undefined, ['SentTimestamp'], ['All', 'SenderId']]),
    }),
    send: (input) => sqs.send(new ReceiveMessageCommand(input)),
  },
  DeleteMessage: {
    input: (random) => ({ QueueUrl, ReceiptHandle: random.pick([undefined, 'none']) }),
    send: (input) => sqs.send(new DeleteMessageCommand(input)),
  },
  DeleteMessageBatch: {
    input: (random) => ({ QueueUrl, Entries: entries(random, (id) => ({ Id: id, ReceiptHandle: 'none' })) }),
    send: (input) => sqs.send(new DeleteMessageBatchCommand(input)),
  },
  ChangeMessageVisibility: {
    input: (random) => ({ QueueUrl, ReceiptHandle: 'none', VisibilityTimeout: random.pick([0, 30, 99_999]) }),
    send: (input) => sqs.send(new ChangeMessageVisibilityCommand(input)),
  },
};

test.each(Object.entries(KINDS))('%s behaves the same with any input', async (_, kind) => {
  for (let seed = 0; seed < CASES; seed++) {
    instrumentation.disable();
    const without = await result(kind, new Random(seed));
    instrumentation.enable();
    const withUs = await result(kind, new Random(seed));
    expect({ seed, ...withUs }).toEqual({ seed, ...without });
  }
  expect(tracing.openSpans).toBe(0);
});

test('most of that was traced', () => {
  expect(tracing.spans().length).toBeGreaterThan(CASES);
});

async function result({ input, send }: Kind, random: Random) {
  const odd = varied(random, input(random), 40);
  const call = await outcomeOf(() => send(odd));
  // The service's own words for a request or a message differ from call to call.
  const what = call.what.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'an id');
  return { manner: call.manner, what, input: shown(odd) };
}

function sent(random: Random, body: string): object {
  return {
    [body]: random.pick(['text', '{"Type":"Notification"', '', 'é'.repeat(100)]),
    MessageAttributes: random.pick([
      undefined,
      null,
      {},
      ownAttributes(3),
      ownAttributes(10),
      ownAttributes(11),
      { traceparent: { DataType: 'String', StringValue: '00-zz' }, _datadog: { DataType: 'String', StringValue: '{' } },
      { Baggage: { DataType: 'Binary', BinaryValue: Buffer.from('tenant=a') } },
      { number: { DataType: 'Number', StringValue: '7' }, nothing: null },
    ]),
    ...(body === 'MessageBody' && {
      MessageSystemAttributes: random.pick([
        undefined,
        undefined,
        {},
        { AWSTraceHeader: { DataType: 'String', StringValue: 'Root=1-5759e988-bd862e3fe1be46a994272793' } },
        { AWSTraceHeader: { DataType: 'String', StringValue: 'no header' } },
      ]),
    }),
  };
}

function target(random: Random): object {
  return random.pick([{ TopicArn }, { TopicArn }, { TopicArn: `${TopicArn}-no` }, { TargetArn: 'no arn' }, {}]);
}

function entries(random: Random, entry: (id: string) => object): unknown {
  return Array.from({ length: random.below(4) }, (_, i) => entry(random.isOneIn(10) ? 'same' : `m${i}`));
}
