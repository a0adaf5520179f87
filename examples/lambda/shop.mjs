/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// An application that puts orders into a queue, one send each. Nothing in it is about tracing.
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';

const { SQS_ENDPOINT, QUEUE_URL, ORDERS } = process.env;

const sqs = new SQSClient({ endpoint: SQS_ENDPOINT });
for (const order of ORDERS.split(',')) {
  await sqs.send(new SendMessageCommand({ QueueUrl: QUEUE_URL, MessageBody: JSON.stringify({ order }) }));
}
sqs.destroy();
