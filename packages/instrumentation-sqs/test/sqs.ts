/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { randomUUID } from 'node:crypto';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  type Message,
  type MessageAttributeValue,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SQSClient,
  type SQSClientConfig,
} from '@aws-sdk/client-sqs';
import { type Tracing, traceText } from '@otel-messaging/test-utils';

/** A client of the server that the environment names; fails if it names none. */
export function newClient(config: SQSClientConfig = {}): SQSClient {
  return new SQSClient(clientConfig(config));
}

export function clientConfig(config: SQSClientConfig = {}): SQSClientConfig {
  const endpoint = process.env['SQS_ENDPOINT'];
  if (!endpoint) throw new Error('SQS_ENDPOINT is not set; `npm test` and `node test-utils/bin/brokers.js sqs` set it');
  return {
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    ...config,
  };
}

/** A fresh queue; its URL. */
export async function newQueue(client: SQSClient, attributes: Record<string, string> = {}): Promise<string> {
  const QueueName = `q-${randomUUID()}${attributes['FifoQueue'] === 'true' ? '.fifo' : ''}`;
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName, Attributes: attributes }));
  return QueueUrl as string;
}

/** The next messages, waiting up to five seconds for the first. */
export async function receive(
  client: SQSClient,
  QueueUrl: string,
  request: Partial<ReceiveMessageCommandInput> = {},
): Promise<Message[]> {
  const input = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 5, ...request };
  const { Messages } = await client.send(new ReceiveMessageCommand(input));
  return Messages ?? [];
}

/** The next messages as the service has them: asked for while the instrumentation is off. */
export async function asStored(
  instrumentation: { disable(): void; enable(): void },
  client: SQSClient,
  QueueUrl: string,
): Promise<Message[]> {
  instrumentation.disable();
  try {
    return await receive(client, QueueUrl, {
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
    });
  } finally {
    instrumentation.enable();
  }
}

export async function remove(client: SQSClient, QueueUrl: string, { ReceiptHandle }: Message): Promise<void> {
  await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
}

export function stringAttributes(texts: Readonly<Record<string, string>>): Record<string, MessageAttributeValue> {
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, { DataType: 'String', StringValue: text }]),
  );
}

/** So many attributes of an application's own. */
export function ownAttributes(count: number): Record<string, MessageAttributeValue> {
  return stringAttributes(Object.fromEntries(Array.from({ length: count }, (_, i) => [`own-${i}`, `value ${i}`])));
}

/** The names of fresh queues and topics. */
const FRESH = /([qt])-[0-9a-f]{8}-[0-9a-f-]{27}/g;

/** Traces as text, with the name of every fresh queue shown as `orders`, and of every fresh topic as `events`. */
export function shownTraces(tracing: Tracing, ...attributes: string[]): string {
  const rename = (text: string) => text.replaceAll(FRESH, (_, kind) => (kind === 'q' ? 'orders' : 'events'));
  return traceText(tracing.spans(), { attributes, rename });
}

/** The lines of a text without the margin that tests hold them with. */
export function lines(text: string): string {
  const all = text.split('\n').slice(1, -1);
  const margin = Math.min(...all.map((line) => line.length - line.trimStart().length));
  return all.map((line) => line.slice(margin)).join('\n');
}
