/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// Charges orders. One that cannot be charged is refused: the broker brings it again after a while. After the last attempt
// it goes to the dead letters.
const { setTimeout: sleep } = require('node:timers/promises');
const amqp = require('amqplib');
const { ATTEMPTS, timesRefused } = require('../lib/queues.js');

const { RABBITMQ_URL, BILLING_QUEUE, DEAD_LETTER_QUEUE } = process.env;

async function main() {
  const connection = await amqp.connect(RABBITMQ_URL);
  const channel = await connection.createConfirmChannel();
  await channel.prefetch(4);
  await channel.consume(BILLING_QUEUE, (message) => handle(channel, message));
  console.log(JSON.stringify({ ready: true }));
  process.once('SIGTERM', () => connection.close());
}

async function handle(channel, message) {
  const order = JSON.parse(message.content.toString());
  const attempt = timesRefused(message, BILLING_QUEUE) + 1;
  try {
    await charge(order, attempt);
    channel.ack(message);
    console.log(JSON.stringify({ order: order.id, queue: BILLING_QUEUE, outcome: 'charged' }));
  } catch {
    if (attempt < ATTEMPTS) {
      channel.nack(message, false, false);
    } else {
      // Confirmed before it is acknowledged: it must not be lost between the two.
      channel.sendToQueue(DEAD_LETTER_QUEUE, message.content, message.properties);
      await channel.waitForConfirms();
      channel.ack(message);
    }
    console.log(JSON.stringify({ order: order.id, queue: BILLING_QUEUE }));
  }
}

/** A customer in Atlantis has no money, one in Svalbard has it a little later. */
async function charge({ to }, attempt) {
  await sleep(5);
  if (to === 'Atlantis' || (to === 'Svalbard' && attempt === 1)) throw new Error(`card of ${to} was refused`);
}

main();
