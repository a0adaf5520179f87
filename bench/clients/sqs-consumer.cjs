/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { context, ROOT_CONTEXT } = require('@opentelemetry/api');
const { handle, newClient, QUEUE_URL } = require('./sqs.cjs');

/** Nothing to stub before the instrumentations: the client's own are replaced by `newClient`. */
function prepare() {}

/**
 * A consumer that polls and handles without the timer between two polls. It deletes nothing: a span of the deletion below
 * that of the message is not what anybody writes by hand.
 */
async function open({ sampled, tracing }) {
  const sqs = require('@aws-sdk/client-sqs');
  const { Consumer } = require('sqs-consumer');
  const client = newClient(sqs, sampled);
  // Without the consumer's abort signal: with options the client resolves its middleware for each call anew.
  const plain = { sqs: { send: (command) => client.send(command) }, handleMessage: plainHandler };
  const { sqs: own, handleMessage } = tracing?.consumer(sqs, client, handle) ?? plain;
  const options = { queueUrl: QUEUE_URL, sqs: own, batchSize: 1, shouldDeleteMessages: false, handleMessage };
  const consumer = Consumer.create(options);
  consumer.abortController = new AbortController(); // as after `start()`; without it each poll makes one
  return {
    consume: { messages: 1, run: (calls) => context.with(ROOT_CONTEXT, consume, undefined, consumer, calls) },
  };
}

async function plainHandler(message) {
  await handle(message);
  return message;
}

async function consume(consumer, calls) {
  for (let i = 0; i < calls; i++) {
    const response = await consumer.receiveMessage({
      QueueUrl: QUEUE_URL,
      AttributeNames: [],
      MessageAttributeNames: [],
      MessageSystemAttributeNames: [],
      MaxNumberOfMessages: 1,
      WaitTimeSeconds: 20,
    });
    await consumer.handleSqsResponse(response);
  }
}

module.exports = { prepare, open };
