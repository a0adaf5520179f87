/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// Sends what is in the outbox, in its order, several rows at a time.
const { setTimeout: sleep } = require('node:timers/promises');
const { Kafka, logLevel, Partitioners } = require('kafkajs');
const { rowsAfter } = require('./outbox.js');

const { KAFKA_BROKERS, ORDERS_TOPIC } = process.env;

async function main() {
  const kafka = new Kafka({ clientId: 'relay', brokers: KAFKA_BROKERS.split(','), logLevel: logLevel.ERROR });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  let isRunning = true;
  process.once('SIGTERM', () => {
    isRunning = false;
  });
  console.log(JSON.stringify({ ready: true }));

  for (let sent = 0; isRunning; await sleep(50)) {
    const rows = rowsAfter(sent);
    if (rows.length === 0) continue;
    const messages = rows.map(({ key, value, headers }) => ({ key, value: JSON.stringify(value), headers }));
    await producer.send({ topic: ORDERS_TOPIC, messages });
    sent += rows.length;
  }
  await producer.disconnect();
}

main();
