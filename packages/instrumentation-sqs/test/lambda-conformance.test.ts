/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { DeleteMessageCommand, type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { describeConformance, type Rig, type RigClient, sqsEvent } from '@otel-messaging/test-utils';
import { wrapSqsHandler } from '../src';
import { sqsRig } from './rig';
import { newClient } from './sqs';

type Event = ReturnType<typeof sqsEvent>;
type LambdaRecord = Event['Records'][number];
type PlainSend = (this: SQSClient, command: object) => Promise<{ readonly Messages?: Message[] }>;

/** The client for sends, and a Lambda function that gets each message as an event; the service itself is not instrumented. */
function lambdaRig(): Rig {
  const rig = sqsRig();
  const plainSend = rig.doors[0]!.original as PlainSend;
  const connect = async () => {
    const client = await rig.connect();
    const { QueueUrl } = client.input({ body: '' }) as { QueueUrl: string };
    return {
      ...client,
      // Sends are the client's, whose own suite makes all of its mistakes.
      malformed: { 'no queue': client.malformed['no queue'] as () => unknown },
      consume: (count, handler) => consume(plainSend, QueueUrl, count, handler),
      body: ({ body }: LambdaRecord) => body ?? '',
      headers: ({ messageAttributes }: LambdaRecord) => textsOf(messageAttributes),
      forward: ({ body, messageAttributes }: LambdaRecord) => ({
        QueueUrl,
        MessageBody: body,
        MessageAttributes: Object.fromEntries(
          Object.entries(textsOf(messageAttributes)).map(([name, StringValue]) => [
            name,
            { DataType: 'String', StringValue },
          ]),
        ),
      }),
    } satisfies RigClient;
  };
  return { ...rig, name: 'SQS events of Lambda', connect };
}

async function consume(
  plainSend: PlainSend,
  QueueUrl: string,
  count: number,
  handler: (record: LambdaRecord) => unknown,
): Promise<void> {
  const client = newClient({ maxAttempts: 1 });
  const poll = { QueueUrl, WaitTimeSeconds: 5, MaxNumberOfMessages: 1 };
  const all = { MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All' as const] };
  const handleEvent = wrapSqsHandler(async ({ Records }: Event) => {
    for (const record of Records) await handler(record);
  });
  for (let left = count; left > 0; ) {
    const { Messages = [] } = await plainSend.call(client, new ReceiveMessageCommand({ ...poll, ...all }));
    for (const message of Messages) {
      left--;
      try {
        await handleEvent(sqsEvent([message as never], QueueUrl.slice(QueueUrl.lastIndexOf('/') + 1)));
      } finally {
        const { ReceiptHandle } = message;
        await plainSend.call(client, new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
  }
  client.destroy();
}

function textsOf(attributes: LambdaRecord['messageAttributes']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, attribute]) => [
      name,
      (attribute as { stringValue?: string }).stringValue ?? '',
    ]),
  );
}

describeConformance(lambdaRig);
