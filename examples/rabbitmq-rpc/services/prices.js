/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// Knows prices without tax, and asks another service for that.
const amqp = require('amqplib');
const { RpcClient, serve } = require('../lib/rpc-client.js');

const { RABBITMQ_URL, PRICES_QUEUE, TAXES_QUEUE } = process.env;

async function main() {
  const connection = await amqp.connect(RABBITMQ_URL);
  const channel = await connection.createChannel();
  const taxes = await RpcClient.open(channel, 'amq.rabbitmq.reply-to');
  await serve(channel, PRICES_QUEUE, async ({ name }) => {
    const net = name.length * 10;
    const { tax } = await taxes.call(TAXES_QUEUE, { net });
    return { price: net + tax };
  });
  console.log(JSON.stringify({ ready: true }));
  process.once('SIGTERM', () => connection.close());
}

main();
