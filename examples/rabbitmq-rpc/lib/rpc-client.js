/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { randomUUID } = require('node:crypto');

const TIMEOUT_MS = 10_000;

/** Calls that are answered through a queue of replies, told apart by their correlation ids. */
class RpcClient {
  waiting = new Map();

  constructor(channel, replyTo) {
    this.channel = channel;
    this.replyTo = replyTo;
  }

  /**
   * @param replyTo a queue of the caller's own, or `amq.rabbitmq.reply-to`, by which RabbitMQ answers without a queue
   */
  static async open(channel, replyTo) {
    const client = new RpcClient(channel, replyTo);
    await channel.consume(replyTo, (message) => client.answer(message), { noAck: true });
    return client;
  }

  call(queue, question) {
    const correlationId = randomUUID();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(correlationId);
        reject(new Error(`no answer from ${queue}`));
      }, TIMEOUT_MS);
      this.waiting.set(correlationId, { resolve, timer });
      const { replyTo } = this;
      this.channel.sendToQueue(queue, Buffer.from(JSON.stringify(question)), { correlationId, replyTo });
    });
  }

  answer({ content, properties }) {
    const call = this.waiting.get(properties.correlationId);
    if (call === undefined) return; // too late
    this.waiting.delete(properties.correlationId);
    clearTimeout(call.timer);
    call.resolve(JSON.parse(content.toString()));
  }
}

/** Answers what comes in a queue with what a function makes of it. */
async function serve(channel, queue, answerTo) {
  await channel.assertQueue(queue, { expires: 600_000 });
  await channel.consume(queue, async (message) => {
    const { replyTo, correlationId } = message.properties;
    const answer = await answerTo(JSON.parse(message.content.toString()));
    channel.sendToQueue(replyTo, Buffer.from(JSON.stringify(answer)), { correlationId });
    channel.ack(message);
  });
}

module.exports = { RpcClient, serve };
