/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type Message, SendMessageBatchCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { applyInstrumentation, type Rig, type RigClient, type RigMessage } from '@otel-messaging/test-utils';
import { SqsInstrumentation } from '../src';
import { newClient, newQueue, ownAttributes, receive, remove, stringAttributes } from './sqs';

/** The real client and the real server, for the conformance suite. */
export function sqsRig(): Rig {
  const original = SQSClient.prototype.send;
  const instrumentation = new SqsInstrumentation();
  applyInstrumentation(instrumentation, require);
  return {
    name: '@aws-sdk/client-sqs',
    instrumentation,
    doors: [{ holder: SQSClient.prototype, name: 'send', original }],
    connect,
  };
}

async function connect(): Promise<RigClient> {
  const client = newClient({ maxAttempts: 1 });
  const QueueUrl = await newQueue(client);
  const entry = ({ body, headers }: RigMessage) => ({
    MessageBody: body,
    ...(headers && { MessageAttributes: stringAttributes(headers) }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: inputs that the types refuse
  const send = (input: any) => client.send(new SendMessageCommand(input));
  // biome-ignore lint/suspicious/noExplicitAny: inputs that the types refuse
  const sendBatch = (input: any) => client.send(new SendMessageBatchCommand(input));
  return {
    input: (message) => ({ QueueUrl, ...entry(message) }),
    send,
    batchInput: (messages) => ({ QueueUrl, Entries: messages.map((m, i) => ({ Id: `m${i}`, ...entry(m) })) }),
    sendBatch,
    flush: async () => {},
    async consume(count, handler) {
      for (let left = count; left > 0; ) {
        const messages = await receive(client, QueueUrl, {
          MessageAttributeNames: ['All'],
          MaxNumberOfMessages: Math.min(left, 10),
        });
        for (const message of messages) {
          left--;
          try {
            await handler(message);
          } finally {
            await remove(client, QueueUrl, message);
          }
        }
      }
    },
    body: (message: Message) => message.Body ?? '',
    headers: (message: Message) =>
      Object.fromEntries(
        Object.entries(message.MessageAttributes ?? {}).map(([name, { StringValue }]) => [name, StringValue ?? '']),
      ),
    forward: ({ Body, MessageAttributes }: Message) => ({ QueueUrl, MessageBody: Body, MessageAttributes }),
    malformed: {
      'no command': () => client.send(undefined as never),
      'no input': () => send(undefined),
      'no queue': () => send({ MessageBody: 'one' }),
      'a queue that is no text': () => send({ QueueUrl: 7, MessageBody: 'one' }),
      'an unknown queue': () => send({ QueueUrl: `${QueueUrl}-unknown`, MessageBody: 'one' }),
      'no body': () => send({ QueueUrl }),
      'attributes that are a text': () => send({ QueueUrl, MessageBody: 'one', MessageAttributes: 'none' }),
      'eleven attributes': () => send({ QueueUrl, MessageBody: 'one', MessageAttributes: ownAttributes(11) }),
      'a getter that throws': () =>
        send({
          QueueUrl,
          get MessageBody() {
            throw new Error('a hostile getter');
          },
        }),
      'no entries': () => sendBatch({ QueueUrl }),
      'entries that are null': () => sendBatch({ QueueUrl, Entries: null }),
      'entries that are no list': () => sendBatch({ QueueUrl, Entries: { 0: { Id: 'a', MessageBody: 'one' } } }),
      'a list of no entries': () => sendBatch({ QueueUrl, Entries: [] }),
      'an entry that is null': () => sendBatch({ QueueUrl, Entries: [null] }),
      'entries of one id': () =>
        sendBatch({
          QueueUrl,
          Entries: [
            { Id: 'a', MessageBody: 'one' },
            { Id: 'a', MessageBody: 'two' },
          ],
        }),
    },
    full: () => ({ QueueUrl, MessageBody: 'one', MessageAttributes: ownAttributes(10) }),
    close: async () => client.destroy(),
  };
}
