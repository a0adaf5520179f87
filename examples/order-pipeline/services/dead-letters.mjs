/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// Takes what could not be shipped, so that somebody can call the customer.
import { setTimeout as work } from 'node:timers/promises';
import amqp from 'amqplib';
import { waitFor } from './wait-for.js';

const { RABBITMQ_URL, DEAD_LETTER_QUEUE, SHIPPING_QUEUE } = process.env;

const connection = await waitFor('RabbitMQ', () => amqp.connect(RABBITMQ_URL));
const channel = await waitFor(`queue ${DEAD_LETTER_QUEUE}`, async () => {
  const candidate = await connection.createChannel();
  candidate.on('error', () => {}); // a missing queue closes the channel; the call below says so too
  await candidate.checkQueue(DEAD_LETTER_QUEUE);
  return candidate;
});

const working = new Set();
const { consumerTag } = await channel.consume(DEAD_LETTER_QUEUE, (message) => {
  const handled = handle(message).finally(() => working.delete(handled));
  working.add(handled);
  return handled;
});
console.log(JSON.stringify({ ready: true }));

process.once('SIGTERM', async () => {
  await channel.cancel(consumerTag);
  await Promise.all(working);
  await channel.close();
  await connection.close();
});

async function handle(message) {
  const order = JSON.parse(message.content.toString());
  await work(6); // open a ticket
  channel.ack(message);
  console.log(JSON.stringify({ order: order.id, outcome: 'dead-lettered', attempts: timesRefused(message) }));
}

function timesRefused(message) {
  const deaths = message.properties.headers['x-death'] ?? [];
  return deaths.filter((death) => death.queue === SHIPPING_QUEUE).reduce((sum, death) => sum + death.count, 0);
}
