/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// Counts what is there. An ES module, of the callback API; it answers after its handler has returned.
import amqp from 'amqplib/callback_api';

const { RABBITMQ_URL, STOCK_QUEUE } = process.env;

amqp.connect(RABBITMQ_URL, (error, connection) => {
  if (error) throw error;
  const channel = connection.createChannel((failure) => {
    if (failure) throw failure;
  });
  channel.assertQueue(STOCK_QUEUE, { expires: 600_000 });
  channel.consume(STOCK_QUEUE, answer, {}, () => console.log(JSON.stringify({ ready: true })));
  process.once('SIGTERM', () => connection.close());

  function answer(message) {
    const { replyTo, correlationId } = message.properties;
    const { name } = JSON.parse(message.content.toString());
    setTimeout(() => {
      channel.sendToQueue(replyTo, Buffer.from(JSON.stringify({ count: name.length * 2 })), { correlationId });
      channel.ack(message);
    }, 5);
  }
});
