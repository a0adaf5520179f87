/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  type MessageAttributeValue,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { type OwnBroker, startOwnBroker } from '../../src/brokers/index';

const TRACE = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';

let broker: OwnBroker;
let endpoint: string;
let client: SQSClient;
let queues = 0;

beforeAll(async () => {
  broker = await startOwnBroker('sqs');
  endpoint = broker.env['SQS_ENDPOINT']!;
  client = new SQSClient({
    endpoint,
    region: broker.env['AWS_REGION']!,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
}, 60_000);

afterAll(async () => {
  client.destroy();
  await broker.stop();
});

async function queue(attributes?: Record<string, string>): Promise<string> {
  queues += 1;
  const made = await client.send(new CreateQueueCommand({ QueueName: `queue-${queues}`, Attributes: attributes }));
  return made.QueueUrl!;
}

async function receive(
  QueueUrl: string,
  asked: Partial<ReceiveMessageCommandInput> = {},
): Promise<Message | undefined> {
  const command = new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1, ...asked });
  return (await client.send(command)).Messages?.[0];
}

function attributes(count: number): Record<string, MessageAttributeValue> {
  const names = Array.from({ length: count }, (_, i) => `attribute${i}`);
  return Object.fromEntries(names.map((name) => [name, { DataType: 'String', StringValue: name }]));
}

describe('number of message attributes', () => {
  test('ten are taken and given back', async () => {
    const QueueUrl = await queue();
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'body', MessageAttributes: attributes(10) }));
    const message = await receive(QueueUrl, { MessageAttributeNames: ['All'] });
    expect(message?.MessageAttributes).toEqual(attributes(10));
  });

  test('eleven are refused', async () => {
    const QueueUrl = await queue();
    const send = new SendMessageCommand({ QueueUrl, MessageBody: 'body', MessageAttributes: attributes(11) });
    await expect(client.send(send)).rejects.toMatchObject({ name: 'InvalidParameterValue' });
    expect(await receive(QueueUrl, { WaitTimeSeconds: 0 })).toBeUndefined();
  });

  test('eleven on one entry of a batch fail that entry alone', async () => {
    const QueueUrl = await queue();
    const Entries = [
      { Id: 'good', MessageBody: 'good', MessageAttributes: attributes(10) },
      { Id: 'bad', MessageBody: 'bad', MessageAttributes: attributes(11) },
    ];
    const answer = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    expect(answer.Successful?.map(({ Id }) => Id)).toEqual(['good']);
    expect(answer.Failed).toMatchObject([{ Id: 'bad', Code: 'InvalidParameterValue', SenderFault: true }]);
  });

  test('the trace header does not count', async () => {
    const QueueUrl = await queue();
    await client.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: 'body',
        MessageAttributes: attributes(10),
        MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: TRACE } },
      }),
    );
    const message = await receive(QueueUrl, { MessageSystemAttributeNames: ['AWSTraceHeader'] });
    expect(message?.Attributes).toEqual({ AWSTraceHeader: TRACE });
  });
});

describe('requested attributes', () => {
  test.each([
    ['none', undefined, undefined],
    ['one by name', ['attribute1'], ['attribute1']],
    ['a prefix', ['attribute.*'], ['attribute0', 'attribute1']],
    ['all', ['All'], ['attribute0', 'attribute1']],
    ['one that is not there', ['traceparent'], undefined],
    ['one in another case', ['ATTRIBUTE1'], undefined],
  ])('%s', async (_, MessageAttributeNames, expected) => {
    const QueueUrl = await queue();
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'body', MessageAttributes: attributes(2) }));
    const message = await receive(QueueUrl, { MessageAttributeNames });
    expect(message?.Body).toBe('body');
    expect(message?.MessageAttributes && Object.keys(message.MessageAttributes)).toEqual(expected);
    expect(message?.Attributes).toBeUndefined();
  });
});

describe('trace header', () => {
  test('is not given to those who do not ask', async () => {
    const QueueUrl = await queue();
    const MessageSystemAttributes = { AWSTraceHeader: { DataType: 'String', StringValue: TRACE } } as const;
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'body', MessageSystemAttributes }));
    const message = await receive(QueueUrl, { MessageSystemAttributeNames: ['SentTimestamp'] });
    expect(Object.keys(message?.Attributes ?? {})).toEqual(['SentTimestamp']);
  });

  test('is kept for each entry of a batch', async () => {
    const QueueUrl = await queue();
    const MessageSystemAttributes = { AWSTraceHeader: { DataType: 'String', StringValue: TRACE } } as const;
    const Entries = [
      { Id: 'with', MessageBody: 'with', MessageSystemAttributes },
      { Id: 'without', MessageBody: 'without' },
    ];
    await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    const command = { QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All' as const] };
    const { Messages } = await client.send(new ReceiveMessageCommand(command));
    expect(Messages?.map(({ Body, Attributes }) => [Body, Attributes?.['AWSTraceHeader']])).toEqual([
      ['with', TRACE],
      ['without', undefined],
    ]);
  });

  test.each([
    ['malformed', 'AWSTraceHeader', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
    ['unknown name', 'traceparent', TRACE],
  ])('%s: refused', async (_, name, StringValue) => {
    const QueueUrl = await queue();
    const MessageSystemAttributes = { [name]: { DataType: 'String', StringValue } };
    const send = new SendMessageCommand({ QueueUrl, MessageBody: 'body', MessageSystemAttributes });
    await expect(client.send(send)).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });
});

test('a dead letter keeps its id, attributes and trace header and names the queue it came from', async () => {
  const deadLetters = await queue();
  const arn = new GetQueueAttributesCommand({ QueueUrl: deadLetters, AttributeNames: ['QueueArn'] });
  const deadLetterTargetArn = (await client.send(arn)).Attributes?.['QueueArn'];
  const source = await queue({
    VisibilityTimeout: '0',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 1 }),
  });
  const sent = await client.send(
    new SendMessageCommand({
      QueueUrl: source,
      MessageBody: 'body',
      MessageAttributes: attributes(1),
      MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: TRACE } },
    }),
  );
  const names = { MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All' as const] };
  expect((await receive(source, names))?.Attributes?.['DeadLetterQueueSourceArn']).toBeUndefined();
  expect(await receive(source, { WaitTimeSeconds: 0 })).toBeUndefined();
  const dead = await receive(deadLetters, names);
  expect(dead).toMatchObject({ MessageId: sent.MessageId, MessageAttributes: attributes(1) });
  expect(dead?.Attributes).toMatchObject({
    AWSTraceHeader: TRACE,
    DeadLetterQueueSourceArn: `arn:aws:sqs:us-east-1:000000000000:${source.split('/').pop()}`,
    ApproximateReceiveCount: '2',
  });
});

test('a receipt handle that was never given out is refused', async () => {
  const QueueUrl = await queue();
  await expect(client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: 'x' }))).rejects.toMatchObject({
    name: 'ReceiptHandleIsInvalid',
  });
});

test('a message sent after a receiver hung up goes to the next one', async () => {
  const QueueUrl = await queue();
  const hangUp = new AbortController();
  const waiting = client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), {
    abortSignal: hangUp.signal,
  });
  setTimeout(() => hangUp.abort(), 100);
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  await new Promise((resolve) => setTimeout(resolve, 100));
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'body' }));
  expect((await receive(QueueUrl))?.Body).toBe('body');
});

describe('the AWS Query protocol of older clients', () => {
  async function call(fields: Record<string, string>): Promise<{ status: number; text: string }> {
    const body = new URLSearchParams({ Version: '2012-11-05', ...fields });
    const response = await fetch(endpoint, { method: 'POST', body });
    return { status: response.status, text: await response.text() };
  }

  function attributeFields(prefix: string, count: number): Record<string, string> {
    const fields: Record<string, string> = {};
    for (let i = 0; i < count; i++) {
      const field = `${prefix}MessageAttribute.${i + 1}`;
      fields[`${field}.Name`] = `attribute${i}`;
      fields[`${field}.Value.DataType`] = 'String';
      fields[`${field}.Value.StringValue`] = `a<${i}>`;
    }
    return fields;
  }

  test('ten attributes are taken, and the requested ones given back', async () => {
    const QueueUrl = await queue();
    const send = { Action: 'SendMessage', QueueUrl, MessageBody: 'a & b', ...attributeFields('', 10) };
    const sent = await call(send);
    expect(sent).toMatchObject({ status: 200, text: expect.stringMatching(/<MD5OfMessageAttributes>[0-9a-f]{32}</) });
    const names = { 'MessageAttributeName.1': 'attribute3', 'AttributeName.1': 'ApproximateReceiveCount' };
    const { text } = await call({ Action: 'ReceiveMessage', QueueUrl, ...names });
    expect(text).toContain('<Body>a &#38; b</Body>');
    expect(text.match(/<Name>.*?<\/Name>/g)).toEqual([
      '<Name>ApproximateReceiveCount</Name>',
      '<Name>attribute3</Name>',
    ]);
    expect(text).toContain('<StringValue>a&#60;3&#62;</StringValue>');
  });

  test('eleven attributes are refused', async () => {
    const QueueUrl = await queue();
    const send = { Action: 'SendMessage', QueueUrl, MessageBody: 'body', ...attributeFields('', 11) };
    expect(await call(send)).toMatchObject({
      status: 400,
      text: expect.stringContaining('<Code>InvalidParameterValue</Code>'),
    });
  });

  test('eleven attributes on one entry of a batch fail that entry alone', async () => {
    const QueueUrl = await queue();
    const entry = 'SendMessageBatchRequestEntry';
    const { status, text } = await call({
      Action: 'SendMessageBatch',
      QueueUrl,
      [`${entry}.1.Id`]: 'good',
      [`${entry}.1.MessageBody`]: 'good',
      [`${entry}.2.Id`]: 'bad',
      [`${entry}.2.MessageBody`]: 'bad',
      ...attributeFields(`${entry}.2.`, 11),
    });
    expect(status).toBe(200);
    expect(text).toMatch(/<SendMessageBatchResultEntry><Id>good<\/Id>/);
    expect(text).toMatch(/<BatchResultErrorEntry><Id>bad<\/Id><Code>InvalidParameterValue<\/Code>/);
  });

  test('the trace header is given to those who ask', async () => {
    const QueueUrl = await queue();
    await call({
      Action: 'SendMessage',
      QueueUrl,
      MessageBody: 'body',
      'MessageSystemAttribute.1.Name': 'AWSTraceHeader',
      'MessageSystemAttribute.1.Value.DataType': 'String',
      'MessageSystemAttribute.1.Value.StringValue': TRACE,
    });
    const { text } = await call({ Action: 'ReceiveMessage', QueueUrl, 'AttributeName.1': 'AWSTraceHeader' });
    expect(text).toContain(`<Name>AWSTraceHeader</Name><Value>${TRACE}</Value>`);
  });
});
