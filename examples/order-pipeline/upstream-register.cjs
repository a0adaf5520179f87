/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// What a user of upstream's packages would write: the same preload, with their instrumentations instead of ours.
const { isMainThread } = require('node:worker_threads');
const { register } = require('node:module');
const { pathToFileURL } = require('node:url');

if (isMainThread) {
  const { NodeSDK } = require('@opentelemetry/sdk-node');
  const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
  const { AwsInstrumentation } = require('@opentelemetry/instrumentation-aws-sdk');
  const { AmqplibInstrumentation } = require('@opentelemetry/instrumentation-amqplib');
  const { KafkaJsInstrumentation } = require('@opentelemetry/instrumentation-kafkajs');

  register('@opentelemetry/instrumentation/hook.mjs', pathToFileURL(__filename));
  const sdk = new NodeSDK({
    instrumentations: [
      new HttpInstrumentation(),
      new AwsInstrumentation({ suppressInternalInstrumentation: true }),
      new AmqplibInstrumentation(),
      new KafkaJsInstrumentation(),
    ],
  });
  sdk.start();
  process.once('SIGTERM', () => process.once('beforeExit', () => sdk.shutdown()));
}
