/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { context, ROOT_CONTEXT } = require('@opentelemetry/api');
const { incomingTraceparents, poolIndex } = require('./incoming.cjs');

const BATCH = 10;

/** As in a function's process, before anything is loaded. Exporting before each answer is the SDK's work, and left out. */
function prepare() {
  process.env._HANDLER = 'lambda-function.handler';
  process.env.LAMBDA_TASK_ROOT = __dirname;
  process.env.OTEL_MESSAGING_FLUSH_TIMEOUT = '0';
}

async function open({ sampled, tracing }) {
  const traceparents = incomingTraceparents(sampled);
  const loaded = require('./lambda-function.cjs');
  const handler = tracing?.handler(loaded.handle) ?? loaded.handler;
  let received = 0;
  const event = () => {
    const Records = [];
    for (let i = 0; i < BATCH; i++) Records.push(record(traceparents[poolIndex(received++)]));
    return { Records };
  };
  const invoke = async (calls) => {
    for (let i = 0; i < calls; i++) await handler(event(), {}, () => {});
  };
  return { 'consume-10': { messages: BATCH, run: (calls) => context.with(ROOT_CONTEXT, invoke, undefined, calls) } };
}

const SENT_TIMESTAMP = String(Date.now());

/** A message as Lambda hands it to a function. */
function record(traceparent) {
  return {
    messageId: '219f8380-5770-4cc2-8c3e-5c715e145f5e',
    receiptHandle: 'receipt-4711',
    body: '{"order":4711,"total":12.5}',
    attributes: { SentTimestamp: SENT_TIMESTAMP, ApproximateReceiveCount: '1' },
    messageAttributes: { traceparent: { stringValue: traceparent, dataType: 'String' } },
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:orders',
    awsRegion: 'us-east-1',
  };
}

module.exports = { prepare, open };
