/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { randomUUID } from 'node:crypto';
import { CreateTopicCommand, SNSClient, type SNSClientConfig, SubscribeCommand } from '@aws-sdk/client-sns';
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { clientConfig, newQueue } from './sqs';

/** A client of the server that the environment names. */
export function newSnsClient(config: SNSClientConfig = {}): SNSClient {
  return new SNSClient({ ...(clientConfig() as SNSClientConfig), ...config });
}

/** A fresh topic; its ARN. */
export async function newTopic(sns: SNSClient, attributes: Record<string, string> = {}): Promise<string> {
  const Name = `t-${randomUUID()}${attributes['FifoTopic'] === 'true' ? '.fifo' : ''}`;
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name, Attributes: attributes }));
  return TopicArn as string;
}

/** A fresh queue that gets what is published to the topic, as it is or wrapped into a notification; its URL. */
export async function subscribedQueue(
  sns: SNSClient,
  sqs: SQSClient,
  TopicArn: string,
  delivery: 'raw' | 'wrapped',
): Promise<string> {
  const QueueUrl = await newQueue(sqs);
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  await sns.send(
    new SubscribeCommand({
      TopicArn,
      Protocol: 'sqs',
      Endpoint: Attributes?.['QueueArn'],
      Attributes: { RawMessageDelivery: String(delivery === 'raw') },
    }),
  );
  return QueueUrl;
}
