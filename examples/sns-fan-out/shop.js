/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// A shop that tells two departments of its orders. Nothing in here knows of tracing.
const { CreateTopicCommand, DeleteTopicCommand, PublishBatchCommand } = require('@aws-sdk/client-sns');
const { PublishCommand, SNSClient, SubscribeCommand } = require('@aws-sdk/client-sns');
const { CreateQueueCommand, DeleteMessageCommand, DeleteQueueCommand } = require('@aws-sdk/client-sqs');
const { GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } = require('@aws-sdk/client-sqs');

/** Publishes three orders, one alone and two in a batch; resolves when both departments have handled all of them. */
async function runShop() {
  const config = { endpoint: process.env.SQS_ENDPOINT, region: process.env.AWS_REGION ?? 'us-east-1' };
  const topics = new SNSClient(config);
  const queues = new SQSClient(config);
  const suffix = `${process.pid}-${Date.now()}`;
  const { TopicArn } = await topics.send(new CreateTopicCommand({ Name: `orders-${suffix}` }));
  const billing = await subscribe({ topics, queues, TopicArn, name: `billing-${suffix}`, isRaw: true });
  const mail = await subscribe({ topics, queues, TopicArn, name: `mail-${suffix}`, isRaw: false });

  await topics.send(new PublishCommand({ TopicArn, Message: JSON.stringify({ order: 1 }) }));
  const PublishBatchRequestEntries = [2, 3].map((order) => ({ Id: `o${order}`, Message: JSON.stringify({ order }) }));
  await topics.send(new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries }));

  const handled = [];
  await work(queues, billing, 3, (body) => handled.push({ department: 'billing', ...JSON.parse(body) }));
  // Without raw delivery SNS wraps the message into a notification.
  await work(queues, mail, 3, (body) => handled.push({ department: 'mail', ...JSON.parse(JSON.parse(body).Message) }));
  for (const QueueUrl of [billing, mail]) await queues.send(new DeleteQueueCommand({ QueueUrl }));
  await topics.send(new DeleteTopicCommand({ TopicArn }));
  topics.destroy();
  queues.destroy();
  return handled;
}

async function subscribe({ topics, queues, TopicArn, name, isRaw }) {
  const { QueueUrl } = await queues.send(new CreateQueueCommand({ QueueName: name }));
  const { Attributes } = await queues.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  const request = { TopicArn, Protocol: 'sqs', Endpoint: Attributes.QueueArn };
  await topics.send(new SubscribeCommand({ ...request, Attributes: { RawMessageDelivery: String(isRaw) } }));
  return QueueUrl;
}

async function work(queues, QueueUrl, count, handle) {
  for (let left = count; left > 0; ) {
    const request = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 5 };
    const { Messages = [] } = await queues.send(new ReceiveMessageCommand(request));
    for (const message of Messages) {
      left--;
      handle(message.Body);
      await queues.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
    }
  }
}

module.exports = { runShop };
