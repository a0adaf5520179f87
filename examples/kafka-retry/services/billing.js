/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// Charges orders. One that cannot be charged goes to the first retry topic, from there to the second, and then to the
// dead-letter topic; each retry topic has its own time to wait.
const { setTimeout: sleep } = require('node:timers/promises');
const { Kafka, logLevel, Partitioners } = require('kafkajs');
const { deadLettersOf, stepsOf } = require('../lib/topics.js');

const { KAFKA_BROKERS, ORDERS_TOPIC } = process.env;
const STEPS = stepsOf(ORDERS_TOPIC);

async function main() {
  const kafka = new Kafka({ clientId: 'billing', brokers: KAFKA_BROKERS.split(','), logLevel: logLevel.ERROR });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  const consumer = kafka.consumer({ groupId: `${ORDERS_TOPIC}-billing`, maxWaitTimeInMs: 50 });
  await Promise.all([producer.connect(), consumer.connect()]);
  await consumer.subscribe({ topics: STEPS.map(({ topic }) => topic), fromBeginning: true });
  const joined = new Promise((resolve) => {
    consumer.on(consumer.events.GROUP_JOIN, resolve);
  });

  await consumer.run({
    partitionsConsumedConcurrently: STEPS.length,
    eachMessage: async ({ topic, partition, message }) => {
      const attempt = STEPS.findIndex((step) => step.topic === topic);
      await sleep(Number(message.timestamp) + STEPS[attempt].waitMs - Date.now());
      const order = JSON.parse(message.value.toString());
      const place = { order: order.id, topic, partition, offset: message.offset };
      try {
        await charge(order, attempt);
        console.log(JSON.stringify({ ...place, outcome: 'charged' }));
      } catch {
        const next = STEPS[attempt + 1]?.topic ?? deadLettersOf(ORDERS_TOPIC);
        const { key, value, headers } = message;
        await producer.send({ topic: next, messages: [{ key, value, headers }] });
        console.log(JSON.stringify(place));
      }
    },
  });
  await joined;
  console.log(JSON.stringify({ ready: true }));
  process.once('SIGTERM', async () => {
    await consumer.disconnect();
    await producer.disconnect();
  });
}

/** A customer in Atlantis has no money, one in Svalbard has it a little later. */
async function charge({ to }, attempt) {
  await sleep(5);
  if (to === 'Atlantis' || (to === 'Svalbard' && attempt === 0)) throw new Error(`card of ${to} was refused`);
}

main();
