/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// Says over HTTP what a thing costs and whether it is there; asks two services at once.
const { createServer } = require('node:http');
const amqp = require('amqplib');
const { RpcClient } = require('../lib/rpc-client.js');

const { RABBITMQ_URL, PRICES_QUEUE, STOCK_QUEUE } = process.env;

async function main() {
  const connection = await amqp.connect(RABBITMQ_URL);
  const prices = await RpcClient.open(await connection.createChannel(), 'amq.rabbitmq.reply-to');
  const ownQueue = await connection.createChannel();
  const { queue } = await ownQueue.assertQueue('', { exclusive: true });
  const stock = await RpcClient.open(ownQueue, queue);

  const server = createServer(async (request, response) => {
    const thing = { name: request.url.slice(1) };
    const [{ price }, { count }] = await Promise.all([
      prices.call(PRICES_QUEUE, thing),
      stock.call(STOCK_QUEUE, thing),
    ]);
    response.end(JSON.stringify({ ...thing, price, count }));
  });
  server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ ready: true, port: server.address().port })));
  process.once('SIGTERM', () => server.close(() => connection.close()));
}

main();
