/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { setTimeout: sleep } = require('node:timers/promises');
const { CreateQueueCommand, DeleteQueueCommand, SQSClient } = require('@aws-sdk/client-sqs');
const amqp = require('amqplib');
const { Kafka, logLevel } = require('kafkajs');
const { waitFor } = require('../services/wait-for.js');

/** Milliseconds in the two retry queues: a ladder, so that the second wait is longer than the first. */
const RETRY_DELAYS_MS = [150, 400];

const REMOVAL_TIMEOUT_MS = 4_000;

/** The names of everything that has to be at the brokers, as the services read them from their environment. */
function topologyNames(prefix = '') {
  return {
    ORDERS_QUEUE: `${prefix}orders`,
    ACCEPTED_TOPIC: `${prefix}accepted-orders`,
    PAYMENTS_GROUP: `${prefix}payments`,
    SHOP_EXCHANGE: `${prefix}shop`,
    SHIPPING_QUEUE: `${prefix}shipping`,
    DEAD_LETTER_QUEUE: `${prefix}shipping.dead`,
  };
}

async function createTopology(brokers, names) {
  await Promise.all([createSqs(brokers, names), createKafka(brokers, names), createRabbit(brokers, names)]);
}

/** Takes away what `createTopology` made, as far as it can in a few seconds. */
async function removeTopology(brokers, names) {
  const removals = [removeSqs(brokers, names), removeKafka(brokers, names), removeRabbit(brokers, names)];
  await Promise.race([Promise.allSettled(removals), sleep(REMOVAL_TIMEOUT_MS, undefined, { ref: false })]);
}

async function withSqs({ SQS_ENDPOINT, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY }, use) {
  const credentials = { accessKeyId: AWS_ACCESS_KEY_ID ?? 'demo', secretAccessKey: AWS_SECRET_ACCESS_KEY ?? 'demo' };
  const sqs = new SQSClient({ endpoint: SQS_ENDPOINT, region: AWS_REGION ?? 'us-east-1', credentials });
  try {
    return await use(sqs);
  } finally {
    sqs.destroy();
  }
}

const createSqs = (brokers, names) =>
  withSqs(brokers, (sqs) => sqs.send(new CreateQueueCommand({ QueueName: names.ORDERS_QUEUE })));

const removeSqs = (brokers, names) =>
  withSqs(brokers, async (sqs) => {
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: names.ORDERS_QUEUE }));
    await sqs.send(new DeleteQueueCommand({ QueueUrl }));
  });

async function withKafka({ KAFKA_BROKERS }, use) {
  const kafka = new Kafka({ clientId: 'topology', brokers: KAFKA_BROKERS.split(','), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

const createKafka = (brokers, names) =>
  withKafka(brokers, async (admin) => {
    await admin.createTopics({ topics: [{ topic: names.ACCEPTED_TOPIC, numPartitions: 3 }] });
    // A fresh Kafka sets its group coordinator up at the first question for one; better here than in a service's log.
    await waitFor('the group coordinator', () =>
      admin.fetchOffsets({ groupId: names.PAYMENTS_GROUP, topics: [names.ACCEPTED_TOPIC] }),
    );
  });

const removeKafka = (brokers, names) =>
  withKafka(brokers, async (admin) => {
    await admin.deleteGroups([names.PAYMENTS_GROUP]);
    await admin.deleteTopics({ topics: [names.ACCEPTED_TOPIC] });
  });

async function withRabbit({ RABBITMQ_URL }, use) {
  const connection = await amqp.connect(RABBITMQ_URL);
  try {
    return await use(await connection.createChannel());
  } finally {
    await connection.close();
  }
}

/**
 * What shipping refuses climbs a ladder that the broker alone walks, by routing key:
 * order.paid → (150 ms) → order.retry.1 → (400 ms) → order.retry.2 → dead-letter queue.
 */
const createRabbit = (brokers, { SHOP_EXCHANGE, SHIPPING_QUEUE, DEAD_LETTER_QUEUE }) =>
  withRabbit(brokers, async (channel) => {
    const failed = `${SHOP_EXCHANGE}.failed`;
    await channel.assertExchange(SHOP_EXCHANGE, 'topic', { durable: true });
    await channel.assertExchange(failed, 'topic', { durable: true });

    await channel.assertQueue(SHIPPING_QUEUE, { durable: true, deadLetterExchange: failed });
    await channel.bindQueue(SHIPPING_QUEUE, SHOP_EXCHANGE, 'order.#');

    let refusedWith = 'order.paid';
    for (const [index, messageTtl] of RETRY_DELAYS_MS.entries()) {
      const queue = retryQueue(SHIPPING_QUEUE, index);
      const deadLetterRoutingKey = `order.retry.${index + 1}`;
      const options = { durable: true, messageTtl, deadLetterExchange: SHOP_EXCHANGE, deadLetterRoutingKey };
      await channel.assertQueue(queue, options);
      await channel.bindQueue(queue, failed, refusedWith);
      refusedWith = deadLetterRoutingKey;
    }

    await channel.assertQueue(DEAD_LETTER_QUEUE, { durable: true });
    await channel.bindQueue(DEAD_LETTER_QUEUE, failed, refusedWith);
  });

const removeRabbit = (brokers, { SHOP_EXCHANGE, SHIPPING_QUEUE, DEAD_LETTER_QUEUE }) =>
  withRabbit(brokers, async (channel) => {
    const retries = RETRY_DELAYS_MS.map((_, index) => retryQueue(SHIPPING_QUEUE, index));
    for (const queue of [SHIPPING_QUEUE, ...retries, DEAD_LETTER_QUEUE]) await channel.deleteQueue(queue);
    for (const exchange of [SHOP_EXCHANGE, `${SHOP_EXCHANGE}.failed`]) await channel.deleteExchange(exchange);
  });

const retryQueue = (queue, index) => `${queue}.retry.${index + 1}`;

module.exports = { topologyNames, createTopology, removeTopology };
