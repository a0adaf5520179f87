/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { registerInstrumentations } = require('@opentelemetry/instrumentation');

const INSTRUMENTATIONS = {
  amqp: () => new (require('@otel-messaging/instrumentation-amqp').AmqpInstrumentation)(),
  kafka: () => new (require('@otel-messaging/instrumentation-kafka').KafkaInstrumentation)(),
  sqs: () => new (require('@otel-messaging/instrumentation-sqs').SqsInstrumentation)(),
};

/** This repository's instrumentation with its default options. */
module.exports = {
  register(client) {
    registerInstrumentations({ instrumentations: [INSTRUMENTATIONS[client]()] });
  },
};
