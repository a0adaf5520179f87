/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// Takes orders over HTTP and puts them into the SQS queue.
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as work } from 'node:timers/promises';
import { GetQueueUrlCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { waitFor } from './wait-for.js';

const { SQS_ENDPOINT, ORDERS_QUEUE, PORT = '0' } = process.env;

const sqs = new SQSClient({ endpoint: SQS_ENDPOINT });
const { QueueUrl } = await waitFor(`queue ${ORDERS_QUEUE}`, () =>
  sqs.send(new GetQueueUrlCommand({ QueueName: ORDERS_QUEUE })),
);

const server = createServer(async (request, response) => {
  try {
    if (request.method !== 'POST' || request.url !== '/orders') return answer(response, 404, { error: 'not found' });
    const order = await json(request);
    await work(4); // validation, prices, stock
    const { MessageId } = await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(order) }));
    answer(response, 202, { order: order.id, messageId: MessageId });
  } catch (error) {
    answer(response, 500, { error: error.message });
  }
});

server.listen(Number(PORT), '127.0.0.1', () =>
  console.log(JSON.stringify({ ready: true, port: server.address().port })),
);

process.once('SIGTERM', () => {
  server.close(() => sqs.destroy());
  server.closeIdleConnections();
});

function answer(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
