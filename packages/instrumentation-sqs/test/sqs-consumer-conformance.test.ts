/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Message } from '@aws-sdk/client-sqs';
import { describeConformance, type Rig, type RigClient } from '@otel-messaging/test-utils';
import { Consumer } from 'sqs-consumer';
import { sqsRig } from './rig';
import { newClient, remove } from './sqs';

const HANDLING = [
  'handleSqsResponse',
  'processMessage',
  'executeHandler',
  'processMessageBatch',
  'executeBatchHandler',
];

/** The client, with a consumer that takes the messages. */
function consumerRig(): Rig {
  const holder = Consumer.prototype as unknown as Record<string, unknown>;
  const doors = HANDLING.map((name) => ({ holder, name, original: holder[name] }));
  const rig = sqsRig();
  const connect = async () => {
    const client = await rig.connect();
    const { QueueUrl } = client.input({ body: '' }) as { QueueUrl: string };
    return {
      ...client,
      // Sends are the client's, whose own suite makes all of its mistakes.
      malformed: { 'no queue': client.malformed['no queue'] as () => unknown },
      consume: (count, handler) => consume(QueueUrl, count, handler),
    } satisfies RigClient;
  };
  return { ...rig, name: 'sqs-consumer', doors: [...rig.doors, ...doors], connect };
}

type Handler = (message: Message) => unknown;

async function consume(queueUrl: string, count: number, handler: Handler): Promise<void> {
  const sqs = newClient({ maxAttempts: 1 });
  const consumer = Consumer.create({
    queueUrl,
    sqs,
    messageAttributeNames: ['All'],
    waitTimeSeconds: 5,
    async handleMessage(message) {
      await handler(message);
      return message;
    },
  });
  let failure: unknown;
  let left = count;
  await new Promise<void>((resolve) => {
    const one = () => --left === 0 && resolve();
    consumer.on('message_processed', one);
    consumer.on('processing_error', (error, message) => {
      failure ??= (error as { cause?: unknown }).cause ?? error;
      void remove(sqs, queueUrl, message as Message).then(one);
    });
    consumer.on('error', () => {});
    consumer.start();
  });
  consumer.stop({ abort: true });
  sqs.destroy();
  if (failure !== undefined) throw failure;
}

describeConformance(consumerRig);
