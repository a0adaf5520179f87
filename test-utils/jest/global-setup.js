/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

'use strict';

const { startBrokers } = require('../build');

/** One broker of each kind for all tests; each test makes queues and topics of its own. */
module.exports = async function globalSetup() {
  if (process.env.OTEL_MESSAGING_TEST_BROKERS === 'none') return;
  const started = await startBrokers(['sqs', 'rabbitmq', 'kafka'], {
    log: (line) => process.stderr.write(`${line}\n`),
  });
  Object.assign(process.env, started.env);
  globalThis.__OTEL_MESSAGING_BROKERS__ = started;
};
