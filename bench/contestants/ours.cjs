/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { registerInstrumentations } = require('@opentelemetry/instrumentation');

const INSTRUMENTATIONS = {
  amqp: () => new (require('@otel-messaging/instrumentation-amqp').AmqpInstrumentation)(),
  'amqp-manager': () => new (require('@otel-messaging/instrumentation-amqp').AmqpInstrumentation)(),
  kafka: () => new (require('@otel-messaging/instrumentation-kafka').KafkaInstrumentation)(),
  confluent: () => new (require('@otel-messaging/instrumentation-kafka').KafkaInstrumentation)(),
  sqs: (config) => new (require('@otel-messaging/instrumentation-sqs').SqsInstrumentation)(config),
  'sqs-consumer': () => new (require('@otel-messaging/instrumentation-sqs').SqsInstrumentation)(),
  lambda: () => new (require('@otel-messaging/instrumentation-sqs').SqsInstrumentation)(),
  sns: () => new (require('@otel-messaging/instrumentation-sqs').SqsInstrumentation)(),
};

/** Operations that are there with an option only. */
const OPTIONS = { 'consume-index': { followIndex: true } };

/** This repository's instrumentation with its default options. */
module.exports = {
  register(client, op) {
    registerInstrumentations({ instrumentations: [INSTRUMENTATIONS[client](OPTIONS[op])] });
  },
};
