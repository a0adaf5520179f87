/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// Charges accepted orders, a batch at a time, and tells the shop's RabbitMQ exchange which are paid.
import { randomUUID } from 'node:crypto';
import { setTimeout as work } from 'node:timers/promises';
import amqp from 'amqplib';
import { Kafka, logLevel } from 'kafkajs';
import { waitFor } from './wait-for.js';

const { KAFKA_BROKERS, ACCEPTED_TOPIC, PAYMENTS_GROUP, RABBITMQ_URL, SHOP_EXCHANGE } = process.env;

const connection = await waitFor('RabbitMQ', () => amqp.connect(RABBITMQ_URL));
await waitFor(`exchange ${SHOP_EXCHANGE}`, async () => {
  const probe = await connection.createChannel();
  probe.on('error', () => {}); // a missing exchange closes the channel; the call below says so too
  await probe.checkExchange(SHOP_EXCHANGE);
  await probe.close();
});
const channel = await connection.createConfirmChannel();

const kafka = new Kafka({ clientId: 'payments', brokers: KAFKA_BROKERS.split(','), logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ groupId: PAYMENTS_GROUP, maxWaitTimeInMs: 100, allowAutoTopicCreation: false });
const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
await consumer.connect();
await consumer.subscribe({ topic: ACCEPTED_TOPIC, fromBeginning: true });
await consumer.run({
  partitionsConsumedConcurrently: 3,
  eachBatchAutoResolve: false,
  eachBatch: async ({ batch, resolveOffset, heartbeat, isRunning, isStale }) => {
    for (const message of batch.messages) {
      if (!isRunning() || isStale()) break;
      const order = JSON.parse(message.value.toString());
      await work(18); // charge the card
      const messageId = randomUUID();
      await publish('order.paid', order, messageId);
      resolveOffset(message.offset);
      await heartbeat();
      console.log(JSON.stringify({ order: order.id, rabbitmq: messageId }));
    }
  },
});
await joined;
console.log(JSON.stringify({ ready: true }));

process.once('SIGTERM', async () => {
  await consumer.disconnect();
  await channel.close();
  await connection.close();
});

/** Resolves when the broker has confirmed the message. */
function publish(routingKey, order, messageId) {
  const options = { contentType: 'application/json', persistent: true, messageId, correlationId: order.id };
  return new Promise((resolve, reject) => {
    channel.publish(SHOP_EXCHANGE, routingKey, Buffer.from(JSON.stringify(order)), options, (error) =>
      error ? reject(error) : resolve(),
    );
  });
}
