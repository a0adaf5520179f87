#!/usr/bin/env node
/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// Starts a server for SQS and SNS, runs the shop, shows its traces and checks them.
const { startBrokers, traceText } = require('@otel-messaging/test-utils');

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'; // noise here: the example runs on Node 20 too

/** What makes the names of queues and topics fresh ones. */
const SUFFIX = /-\d+-\d+/g;

async function main() {
  const brokers = await startBrokers(['sqs'], { log: console.error });
  try {
    Object.assign(process.env, brokers.env);
    const { finishedSpans } = require('./tracing.js'); // before the application, which loads the clients
    const { runShop } = require('./shop.js');
    const handled = await runShop();

    const spans = finishedSpans();
    const rename = (text) => text.replaceAll(SUFFIX, '');
    console.log(`\n${traceText(spans, { rename })}\n`);
    const problems = require('./verify.js').problemsOf(spans, handled);
    for (const problem of problems) console.error(`✗ ${problem}`);
    if (problems.length > 0) process.exitCode = 1;
    else console.log(`✓ ${handled.length} deliveries, each in the trace of the message that was published`);
  } finally {
    await brokers.stop();
  }
}

main().catch((error) => {
  console.error(`✗ ${error.stack}`);
  process.exit(1);
});
