/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// Takes orders over HTTP and hands them to billing; answers when the broker has them.
const { createServer } = require('node:http');
const { text } = require('node:stream/consumers');
const amqp = require('amqplib');

const { RABBITMQ_URL, BILLING_QUEUE } = process.env;

async function main() {
  const connection = await amqp.connect(RABBITMQ_URL);
  const channel = await connection.createConfirmChannel();
  const server = createServer(async (request, response) => {
    const order = JSON.parse(await text(request));
    const options = { messageId: order.id, persistent: true, mandatory: true };
    channel.sendToQueue(BILLING_QUEUE, Buffer.from(JSON.stringify(order)), options, (error) => {
      response.writeHead(error ? 503 : 202).end();
    });
  });
  server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ ready: true, port: server.address().port })));
  process.once('SIGTERM', () => server.close(() => connection.close()));
}

main();
