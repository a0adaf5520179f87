/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// Knows what is due on a price.
const amqp = require('amqplib');
const { serve } = require('../lib/rpc-client.js');

const { RABBITMQ_URL, TAXES_QUEUE } = process.env;

async function main() {
  const connection = await amqp.connect(RABBITMQ_URL);
  await serve(await connection.createChannel(), TAXES_QUEUE, async ({ net }) => ({ tax: net / 5 }));
  console.log(JSON.stringify({ ready: true }));
  process.once('SIGTERM', () => connection.close());
}

main();
