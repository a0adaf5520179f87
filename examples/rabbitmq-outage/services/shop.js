/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// Takes orders over HTTP, whether the broker is there or not: amqp-connection-manager keeps them until it is.
const { createServer } = require('node:http');
const { connect } = require('amqp-connection-manager');

const { RABBITMQ_URL, ORDERS_QUEUE } = process.env;

async function main() {
  const manager = connect([RABBITMQ_URL], { reconnectTimeInSeconds: 0.2 });
  const channel = manager.createChannel({
    json: true,
    setup: (inner) => inner.assertQueue(ORDERS_QUEUE, { durable: true, expires: 60_000 }),
  });
  channel.on('error', () => {}); // it goes on by itself
  manager.on('disconnect', () => console.log(JSON.stringify({ disconnected: true })));

  const server = createServer((request, response) => {
    const [, what, id] = request.url.split('/');
    if (what === 'mailed') {
      console.log(JSON.stringify({ mailed: id }));
      response.end();
      return;
    }
    const callback = `http://127.0.0.1:${server.address().port}/mailed/${id}`;
    const event = { pattern: 'ordered', data: { id, callback } };
    channel.sendToQueue(ORDERS_QUEUE, event, { messageId: id, persistent: true }).catch((error) => {
      console.error(`${id}: ${error.message}`);
    });
    response.writeHead(202).end(); // the customer does not wait for the broker
  });
  await channel.waitForConnect();
  server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ ready: true, port: server.address().port })));
  process.once('SIGTERM', () => server.close(() => manager.close()));
}

main();
