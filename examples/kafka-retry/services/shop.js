/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// Takes orders over HTTP. An order and the message that tells of it are one transaction of the database, so the message
// goes into a table, an outbox, and is sent by somebody else. `captureContext` is all that the shop has to do for tracing.
const { createServer } = require('node:http');
const { json } = require('node:stream/consumers');
const { captureContext } = require('@otel-messaging/instrumentation-kafka');
const { insert } = require('./outbox.js');

const server = createServer(async (request, response) => {
  const order = await json(request);
  insert({ key: order.id, value: order, headers: captureContext() });
  response.writeHead(202).end();
});

server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ ready: true, port: server.address().port })));
process.once('SIGTERM', () => {
  server.close();
  server.closeIdleConnections();
});
