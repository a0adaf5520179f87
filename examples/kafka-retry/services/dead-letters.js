/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// Tells a person of orders that nobody could charge.
const { Kafka, logLevel } = require('kafkajs');
const { deadLettersOf } = require('../lib/topics.js');

const { KAFKA_BROKERS, ORDERS_TOPIC } = process.env;

async function main() {
  const kafka = new Kafka({ clientId: 'dead-letters', brokers: KAFKA_BROKERS.split(','), logLevel: logLevel.ERROR });
  const consumer = kafka.consumer({ groupId: `${ORDERS_TOPIC}-dead-letters`, maxWaitTimeInMs: 50 });
  await consumer.connect();
  await consumer.subscribe({ topic: deadLettersOf(ORDERS_TOPIC), fromBeginning: true });
  const joined = new Promise((resolve) => {
    consumer.on(consumer.events.GROUP_JOIN, resolve);
  });
  await consumer.run({
    eachMessage: async ({ topic, partition, message }) => {
      const order = JSON.parse(message.value.toString());
      const place = { order: order.id, topic, partition, offset: message.offset };
      console.log(JSON.stringify({ ...place, outcome: 'given up' }));
    },
  });
  await joined;
  console.log(JSON.stringify({ ready: true }));
  process.once('SIGTERM', () => consumer.disconnect());
}

main();
