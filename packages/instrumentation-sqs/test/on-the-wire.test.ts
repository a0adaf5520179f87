/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { PublishBatchCommand, PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { SendMessageBatchCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import {
  applyInstrumentation,
  outcomeOf,
  Random,
  startTracing,
  type Tracing,
  varied,
} from '@otel-messaging/test-utils';
import { SqsInstrumentation } from '../src';
import { ownAttributes } from './sqs';

/**
 * What a service gets of valid, odd and malformed inputs: with instrumentation the same as without it, and our fields
 * besides. `differential.test.ts` compares what the application sees.
 */
const CASES = 120;
const QueueUrl = 'https://sqs.us-east-1.amazonaws.com/123456789012/orders';
const TopicArn = 'arn:aws:sns:us-east-1:123456789012:orders';

const instrumentation = new SqsInstrumentation();
applyInstrumentation(instrumentation, require);

let tracing: Tracing;

beforeAll(() => {
  tracing = startTracing([instrumentation], { contract: false }); // odd destinations have odd names
});
afterAll(() => tracing.stop());

/** Bodies of the requests of one call. */
const requests: string[] = [];

/** In place of a connection: a service that takes everything. */
const requestHandler = {
  handle: async ({ hostname, body }: { readonly hostname: string; readonly body: string | Uint8Array }) => {
    requests.push(typeof body === 'string' ? body : new TextDecoder().decode(body));
    const answer = hostname.startsWith('sns') ? '<Response><Result></Result></Response>' : '{}';
    return { response: { statusCode: 200, headers: {}, body: Buffer.from(answer) } };
  },
};
const config = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  requestHandler: requestHandler as never,
  maxAttempts: 1,
  md5: false as const,
  logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
};
const sqs = new SQSClient(config);

type Kind = [input: (random: Random) => object, send: (input: never) => unknown];

const KINDS: Readonly<Record<string, Kind>> = {
  SendMessage: [
    (random) => ({ QueueUrl, ...sent(random, 'MessageBody') }),
    (input) => sqs.send(new SendMessageCommand(input)),
  ],
  SendMessageBatch: [
    (random) => ({ QueueUrl, Entries: entries(random, 'MessageBody') }),
    (input) => sqs.send(new SendMessageBatchCommand(input)),
  ],
  // After an input that it could not write a client of SNS begins the next request with what it had written of that.
  Publish: [
    (random) => ({ TopicArn, ...sent(random, 'Message') }),
    (input) => new SNSClient(config).send(new PublishCommand(input)),
  ],
  PublishBatch: [
    (random) => ({ TopicArn, PublishBatchRequestEntries: entries(random, 'Message') }),
    (input) => new SNSClient(config).send(new PublishBatchCommand(input)),
  ],
};

test.each(Object.entries(KINDS))('%s', async (_, kind) => {
  const warn = jest.spyOn(console, 'warn').mockImplementation(); // of the client, about URLs that are none
  let carrying = 0;
  for (let seed = 0; seed < CASES; seed++) {
    instrumentation.disable();
    const without = await requestOf(kind, seed);
    instrumentation.enable();
    const withUs = await requestOf(kind, seed);
    expect({ seed, request: withoutOurs(withUs) }).toEqual({ seed, request: withoutOurs(without) });
    if (withUs?.includes('traceparent')) carrying++;
  }
  expect(carrying).toBeGreaterThan(CASES / 10);
  warn.mockRestore();
});

async function requestOf([input, send]: Kind, seed: number): Promise<string | undefined> {
  const random = new Random(seed);
  requests.length = 0;
  await outcomeOf(() => send(varied(random, input(random), 60) as never));
  return requests[0];
}

/** SQS is asked in JSON, SNS in the form of a query. */
function withoutOurs(request: string | undefined): unknown {
  return request?.startsWith('{') ? withoutOursInJson(request) : request && withoutOursInQuery(request);
}

function withoutOursInJson(request: string): unknown {
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(request);
  } catch {
    return 'no JSON'; // the client writes functions into it, as they are
  }
  for (const message of [json, ...(Array.isArray(json['Entries']) ? json['Entries'] : [])]) {
    drop(message, 'MessageAttributes', (name) => /^trace(parent|state)$/i.test(name));
    drop(message, 'MessageSystemAttributes', (_, { StringValue }) => /^Root=1-.*;Parent=/.test(String(StringValue)));
  }
  return json;
}

/** Takes attributes out of a message, and their list if nothing is left. */
function drop(
  message: Record<string, Record<string, { StringValue?: unknown }>> | null,
  field: string,
  isOurs: (name: string, attribute: { StringValue?: unknown }) => boolean,
): void {
  const attributes = message?.[field];
  if (!message || typeof attributes !== 'object' || attributes === null) return;
  for (const [name, attribute] of Object.entries(attributes)) if (isOurs(name, attribute)) delete attributes[name];
  if (Object.keys(attributes).length === 0) delete message[field];
}

/** Attributes have numbers there, which depend on how many there are: by their names instead. */
function withoutOursInQuery(request: string): unknown {
  const pairs = [...new URLSearchParams(request)];
  const names = new Map(pairs.filter(([key]) => key.endsWith('.Name')).map(([key, name]) => [key.slice(0, -5), name]));
  const named = pairs.map(([key, value]) => {
    const [entry, list] = /^(.*MessageAttributes\.entry)\.\d+(?=\.)/.exec(key) ?? [];
    return entry === undefined ? [key, value] : [`${list}.${names.get(entry)}${key.slice(entry.length)}`, value];
  });
  return named.filter(([key]) => !/\.trace(parent|state)\./i.test(key as string)).sort();
}

function sent(random: Random, body: string): object {
  return {
    [body]: random.pick(['text', '{"Type":"Notification"', 'x'.repeat(1_048_576), 'lone \ud800', '', 'a\u0000b']),
    MessageAttributes: random.pick([
      undefined,
      null,
      {},
      ownAttributes(3),
      ownAttributes(9),
      ownAttributes(10),
      ownAttributes(11),
      { traceparent: { DataType: 'String', StringValue: '00-zz' }, tracestate: null },
      { ...ownAttributes(9), traceparent: { DataType: 'String', StringValue: '00-zz' } },
      { TraceParent: { DataType: 'Number', StringValue: '7' } },
      { own: { DataType: 'Binary.x', BinaryValue: Buffer.from([0, 255]) } },
      { 'AWS.own': { DataType: 'String.x', StringValue: 'é' } },
    ]),
    ...(body === 'MessageBody' && {
      DelaySeconds: random.pick([undefined, 0, 5, '5']),
      MessageGroupId: random.pick([undefined, 'group']),
      MessageSystemAttributes: random.pick([
        undefined,
        null,
        {},
        { AWSTraceHeader: { DataType: 'String', StringValue: 'garbage' } },
        { Other: { DataType: 'String', StringValue: 'x' } },
      ]),
    }),
  };
}

function entries(random: Random, body: string): unknown {
  return Array.from({ length: random.below(4) }, (_, i) => ({ Id: `m${i}`, ...sent(random, body) }));
}
