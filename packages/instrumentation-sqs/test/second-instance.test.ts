/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { applyInstrumentation, startTracing, traceText } from '@otel-messaging/test-utils';
import { SqsInstrumentation } from '../src';
import { newClient, newQueue } from './sqs';

test('registered twice, as by a preload and a bootstrap file: one span and one count for each message', async () => {
  const instances = [new SqsInstrumentation(), new SqsInstrumentation()];
  for (const instance of instances) applyInstrumentation(instance, require);
  const sqs = newClient();
  const QueueUrl = await newQueue(sqs);
  const tracing = startTracing(instances);
  try {
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    for (const { ReceiptHandle } of Messages) await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    const name = QueueUrl.slice(QueueUrl.lastIndexOf('/') + 1);
    expect(traceText(tracing.spans(), { rename: (text) => text.replaceAll(name, 'orders') })).toBe(
      [
        'send orders PRODUCER',
        '└─ process orders CONSUMER  → send orders, receive orders',
        '   └─ delete orders CLIENT  → send orders',
        'receive orders CLIENT  → send orders',
      ].join('\n'),
    );
    const metrics = await tracing.metrics();
    for (const counter of ['messaging.client.sent.messages', 'messaging.client.consumed.messages']) {
      const metric = metrics.find(({ descriptor }) => descriptor.name === counter);
      expect(metric?.dataPoints.map(({ value }) => value)).toEqual([1]);
    }
  } finally {
    sqs.destroy();
    await tracing.stop();
    for (const instance of instances) instance.disable();
  }
});
