/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { ChangeMessageVisibilityCommand, DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import testUtils from '@otel-messaging/test-utils';

/**
 * What Lambda does for a function with an SQS event source, until the queue has been empty for a second: it hands over
 * what there is, up to ten messages, deletes what the function has not named as failed, and lets the rest come again.
 * How many times the function was called.
 */
export async function runEventSource(sqs, QueueUrl, invoke) {
  const queueName = QueueUrl.slice(QueueUrl.lastIndexOf('/') + 1);
  for (let calls = 0; ; calls++) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 1,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['All'],
      }),
    );
    if (Messages.length === 0) return calls;
    const { manner, body } = await invoke(testUtils.sqsEvent(Messages, queueName));
    const failures = manner === 'response' ? (JSON.parse(body)?.batchItemFailures ?? []) : Messages;
    const failed = new Set(failures.map(({ itemIdentifier, MessageId }) => itemIdentifier ?? MessageId));
    for (const { MessageId, ReceiptHandle } of Messages) {
      const input = { QueueUrl, ReceiptHandle };
      if (failed.has(MessageId)) await sqs.send(new ChangeMessageVisibilityCommand({ ...input, VisibilityTimeout: 0 }));
      else await sqs.send(new DeleteMessageCommand(input));
    }
  }
}
