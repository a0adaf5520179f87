/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { application } = require('./sqs.cjs');

/** The client and the handler of a consumer, with tracing in both; what the poll knows is kept on the message. */
function consumer(sqs, client, handle) {
  const { poll, processOne } = application(sqs, handle);
  return {
    sqs: {
      async send({ input }) {
        const { messages, parents, receiveLink, requestId } = await poll(client, input);
        for (let i = 0; i < messages.length; i++) {
          messages[i].tracing = { parent: parents[i], receiveLink, requestId, queueUrl: input.QueueUrl };
        }
        return { Messages: messages };
      },
    },
    async handleMessage(message) {
      const { parent, receiveLink, requestId, queueUrl } = message.tracing;
      await processOne(message, parent, receiveLink, queueUrl, requestId, handle);
      return message;
    },
  };
}

module.exports = { consumer };
