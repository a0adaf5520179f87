/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { PublishBatchCommand, PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { type Message, SQSClient } from '@aws-sdk/client-sqs';
import {
  applyInstrumentation,
  describeConformance,
  type Rig,
  type RigClient,
  type RigMessage,
} from '@otel-messaging/test-utils';
import { SqsInstrumentation } from '../src';
import { newSnsClient, newTopic, subscribedQueue } from './sns';
import { newClient, ownAttributes, receive, remove, stringAttributes } from './sqs';

describeConformance(snsRig);

/** Publishes to a topic, and takes from a queue that is subscribed to it. */
function snsRig(): Rig {
  const doors = [SNSClient.prototype, SQSClient.prototype].map((holder) => ({
    holder,
    name: 'send',
    original: holder.send,
  }));
  const instrumentation = new SqsInstrumentation();
  applyInstrumentation(instrumentation, require);
  return { name: '@aws-sdk/client-sns', instrumentation, doors, connect };
}

async function connect(): Promise<RigClient> {
  const sns = newSnsClient({ maxAttempts: 1 });
  const sqs = newClient({ maxAttempts: 1 });
  const TopicArn = await newTopic(sns);
  const QueueUrl = await subscribedQueue(sns, sqs, TopicArn, 'raw');
  const entry = ({ body, headers }: RigMessage) => ({
    Message: body,
    ...(headers && { MessageAttributes: stringAttributes(headers) }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: inputs that the types refuse
  const send = (input: any) => sns.send(new PublishCommand(input));
  // biome-ignore lint/suspicious/noExplicitAny: inputs that the types refuse
  const sendBatch = (input: any) => sns.send(new PublishBatchCommand(input));
  return {
    input: (message) => ({ TopicArn, ...entry(message) }),
    send,
    batchInput: (messages) => ({
      TopicArn,
      PublishBatchRequestEntries: messages.map((message, i) => ({ Id: `m${i}`, ...entry(message) })),
    }),
    sendBatch,
    flush: async () => {},
    async consume(count, handler) {
      for (let left = count; left > 0; ) {
        const messages = await receive(sqs, QueueUrl, {
          MessageAttributeNames: ['All'],
          MaxNumberOfMessages: Math.min(left, 10),
        });
        for (const message of messages) {
          left--;
          try {
            await handler(message);
          } finally {
            await remove(sqs, QueueUrl, message);
          }
        }
      }
    },
    body: ({ Body }: Message) => Body ?? '',
    headers: ({ MessageAttributes }: Message) =>
      Object.fromEntries(
        Object.entries(MessageAttributes ?? {}).map(([name, { StringValue }]) => [name, StringValue ?? '']),
      ),
    forward: ({ Body, MessageAttributes }: Message) => ({ TopicArn, Message: Body, MessageAttributes }),
    malformed: {
      'no command': () => sns.send(undefined as never),
      'no input': () => send(undefined),
      'an unknown topic': () => send({ TopicArn: `${TopicArn}-unknown`, Message: 'one' }),
      'a getter that throws': () =>
        send({
          TopicArn,
          get Message() {
            throw new Error('a hostile getter');
          },
        }),
      'no topic for a batch': () => sendBatch({ PublishBatchRequestEntries: [{ Id: 'a', Message: 'one' }] }),
      'a batch for an unknown topic': () =>
        sendBatch({ TopicArn: `${TopicArn}-unknown`, PublishBatchRequestEntries: [{ Id: 'a', Message: 'one' }] }),
      'entries of one id': () =>
        sendBatch({
          TopicArn,
          PublishBatchRequestEntries: [
            { Id: 'a', Message: 'one' },
            { Id: 'a', Message: 'two' },
          ],
        }),
    },
    full: () => ({ TopicArn, Message: 'one', MessageAttributes: ownAttributes(10) }),
    close: async () => {
      sns.destroy();
      sqs.destroy();
    },
  };
}
