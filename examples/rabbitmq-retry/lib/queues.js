/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

/** Attempts before an order is given up. */
const ATTEMPTS = 3;

/** Milliseconds that an order waits before it is tried again. */
const RETRY_DELAY_MS = 150;

/** What has to be at the broker, by the names that the services read from their environment. */
function queueNames(prefix) {
  return {
    BILLING_QUEUE: `${prefix}billing`,
    RETRY_QUEUE: `${prefix}billing.retry`,
    DEAD_LETTER_QUEUE: `${prefix}dead`,
  };
}

/**
 * A refused message goes to the retry queue, which nobody consumes: it expires there, and its dead letters go back. The
 * broker writes down each of these deaths in the message.
 */
async function createQueues(channel, { BILLING_QUEUE, RETRY_QUEUE, DEAD_LETTER_QUEUE }) {
  const temporary = { expires: 600_000 };
  await channel.assertQueue(BILLING_QUEUE, {
    ...temporary,
    deadLetterExchange: '',
    deadLetterRoutingKey: RETRY_QUEUE,
  });
  await channel.assertQueue(RETRY_QUEUE, {
    ...temporary,
    messageTtl: RETRY_DELAY_MS,
    deadLetterExchange: '',
    deadLetterRoutingKey: BILLING_QUEUE,
  });
  await channel.assertQueue(DEAD_LETTER_QUEUE, temporary);
}

/** How often a message was refused by the consumers of a queue. */
function timesRefused({ properties }, queue) {
  const deaths = properties.headers['x-death'] ?? [];
  return deaths.find((death) => death.queue === queue && death.reason === 'rejected')?.count ?? 0;
}

module.exports = { ATTEMPTS, createQueues, queueNames, timesRefused };
