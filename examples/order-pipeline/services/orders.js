/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// Takes orders from the SQS queue, reserves stock, and announces the accepted ones on Kafka.
const { setTimeout: work } = require('node:timers/promises');
const { DeleteMessageCommand, GetQueueUrlCommand, ReceiveMessageCommand, SQSClient } = require('@aws-sdk/client-sqs');
const { Kafka, logLevel } = require('kafkajs');
const { waitFor } = require('./wait-for.js');

const { SQS_ENDPOINT, ORDERS_QUEUE, KAFKA_BROKERS, ACCEPTED_TOPIC } = process.env;

const sqs = new SQSClient({ endpoint: SQS_ENDPOINT });
const kafka = new Kafka({ clientId: 'orders', brokers: KAFKA_BROKERS.split(','), logLevel: logLevel.ERROR });
const producer = kafka.producer({ allowAutoTopicCreation: false });
const stopping = new AbortController();
process.once('SIGTERM', () => stopping.abort());

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});

async function main() {
  const { QueueUrl } = await waitFor(`queue ${ORDERS_QUEUE}`, () =>
    sqs.send(new GetQueueUrlCommand({ QueueName: ORDERS_QUEUE })),
  );
  await producer.connect();
  console.log(JSON.stringify({ ready: true }));

  for (let poll = 0; !stopping.signal.aborted; ) {
    const messages = await receive(QueueUrl);
    if (messages.length === 0) continue;
    // Both ways of working through a poll are common, so this service takes turns.
    if (poll++ % 2 === 0) {
      await Promise.all(messages.map(async (message) => handle(QueueUrl, message)));
    } else {
      for (const message of messages) await handle(QueueUrl, message);
    }
  }
  await producer.disconnect();
  sqs.destroy();
}

async function receive(QueueUrl) {
  try {
    const poll = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 10 });
    const { Messages } = await sqs.send(poll, { abortSignal: stopping.signal });
    return Messages ?? [];
  } catch (error) {
    if (stopping.signal.aborted) return [];
    throw error;
  }
}

async function handle(QueueUrl, message) {
  const order = JSON.parse(message.Body);
  await work(12); // reserve stock
  const [sent] = await producer.send({
    topic: ACCEPTED_TOPIC,
    messages: [{ key: order.customer, value: JSON.stringify(order) }],
  });
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
  console.log(JSON.stringify({ order: order.id, kafka: `${sent.partition}/${sent.baseOffset}` }));
}
