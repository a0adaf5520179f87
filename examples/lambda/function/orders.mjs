/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// A Lambda function behind an SQS event source, with partial batch responses. Nothing in it is about tracing.
import { setTimeout as work } from 'node:timers/promises';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';

const { SQS_ENDPOINT, INVOICES_URL } = process.env;

const sqs = new SQSClient({ endpoint: SQS_ENDPOINT });

export async function handler({ Records }) {
  const batchItemFailures = [];
  for (const { messageId, body, attributes } of Records) {
    const { order } = JSON.parse(body);
    await work(3);
    // The second one is out of stock at the first attempt: it stays in the queue and comes again.
    if (order === 'B' && attributes.ApproximateReceiveCount === '1') {
      batchItemFailures.push({ itemIdentifier: messageId });
      continue;
    }
    await sqs.send(new SendMessageCommand({ QueueUrl: INVOICES_URL, MessageBody: JSON.stringify({ invoice: order }) }));
  }
  return { batchItemFailures };
}
