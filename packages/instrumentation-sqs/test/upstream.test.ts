/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { SendMessageBatchCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { AwsInstrumentation } from '@opentelemetry/instrumentation-aws-sdk';
import { applyInstrumentation, startTracing } from '@otel-messaging/test-utils';
import { SqsInstrumentation } from '../src';
import { lines, newClient, newQueue, receive, remove, shownTraces } from './sqs';

test("beside OpenTelemetry's instrumentation of the AWS SDK there is one span and one context for each call", async () => {
  const upstream = new AwsInstrumentation();
  const ours = new SqsInstrumentation();
  // Whichever is registered first: the module that upstream patches is loaded by the one that we patch.
  applyInstrumentation(upstream, require);
  applyInstrumentation(ours, require);
  const tracing = startTracing([upstream, ours]);
  const client = newClient();
  const QueueUrl = await newQueue(client);
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
  await client.send(new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: 'a', MessageBody: 'two' }] }));
  for (const message of await receive(client, QueueUrl)) {
    expect(Object.keys(message).sort()).toEqual(['Body', 'MD5OfBody', 'MessageId', 'ReceiptHandle']);
    await remove(client, QueueUrl, message);
  }
  client.destroy();
  const handled = lines(`
    send orders PRODUCER
    └─ process orders CONSUMER  → send orders, receive orders
       └─ delete orders CLIENT  → send orders
  `);
  expect(shownTraces(tracing)).toBe(
    ['SQS.CreateQueue CLIENT', handled, handled, 'receive orders CLIENT  → send orders, send orders'].join('\n'),
  );
  upstream.disable();
  ours.disable();
  await tracing.stop();
});
