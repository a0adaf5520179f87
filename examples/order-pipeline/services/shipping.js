/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// Ships paid orders. What cannot be shipped is refused; the queue's dead-letter exchange decides what becomes of it.
const { setTimeout: work } = require('node:timers/promises');
const amqp = require('amqplib');
const { waitFor } = require('./wait-for.js');

const { RABBITMQ_URL, SHIPPING_QUEUE } = process.env;

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});

async function main() {
  const connection = await waitFor('RabbitMQ', () => amqp.connect(RABBITMQ_URL));
  const channel = await waitFor(`queue ${SHIPPING_QUEUE}`, async () => {
    const candidate = await connection.createChannel();
    candidate.on('error', () => {}); // a missing queue closes the channel; the call below says so too
    await candidate.checkQueue(SHIPPING_QUEUE);
    return candidate;
  });
  await channel.prefetch(4);

  const working = new Set();
  const { consumerTag } = await channel.consume(SHIPPING_QUEUE, (message) => {
    const handled = handle(channel, message).finally(() => working.delete(handled));
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
}

async function handle(channel, message) {
  const order = JSON.parse(message.content.toString());
  const attempt = 1 + timesRefused(message);
  try {
    await ship(order, attempt);
    channel.ack(message);
    console.log(JSON.stringify({ order: order.id, outcome: 'shipped', attempts: attempt }));
  } catch {
    channel.nack(message, false, false);
  }
}

async function ship(order, attempt) {
  await work(15);
  if (order.destination === 'Atlantis') throw new Error('no carrier goes to Atlantis');
  if (order.destination === 'Svalbard' && attempt === 1) throw new Error('the carrier did not answer');
}

function timesRefused(message) {
  const deaths = message.properties.headers['x-death'] ?? [];
  return deaths.filter((death) => death.queue === SHIPPING_QUEUE).reduce((sum, death) => sum + death.count, 0);
}
