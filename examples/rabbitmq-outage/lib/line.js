/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { once } = require('node:events');
const { connect, createServer } = require('node:net');

/** A network to the broker that can fail: `url` is the broker's as services are to use it. */
async function startLine(brokerUrl) {
  const broker = new URL(brokerUrl);
  const sockets = new Set();
  let isCut = false;
  const server = createServer((client) => {
    if (isCut) {
      client.on('error', () => {}).destroy();
      return;
    }
    const upstream = connect(Number(broker.port || 5672), broker.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: Object.assign(new URL(broker), { hostname: '127.0.0.1', port: String(server.address().port) }).href,
    cut,
    mend: () => {
      isCut = false;
    },
    stop: () => {
      cut();
      server.close();
    },
  };
}

module.exports = { startLine };
