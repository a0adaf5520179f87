/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { registerInstrumentations } = require('@opentelemetry/instrumentation');

const INSTRUMENTATIONS = {
  amqp: () => new (require('@opentelemetry/instrumentation-amqplib').AmqplibInstrumentation)(),
  'amqp-manager': () => new (require('@opentelemetry/instrumentation-amqplib').AmqplibInstrumentation)(),
  kafka: () => new (require('@opentelemetry/instrumentation-kafkajs').KafkaJsInstrumentation)(),
  sqs: () => new (require('@opentelemetry/instrumentation-aws-sdk').AwsInstrumentation)(),
  'sqs-consumer': () => new (require('@opentelemetry/instrumentation-aws-sdk').AwsInstrumentation)(),
  sns: () => new (require('@opentelemetry/instrumentation-aws-sdk').AwsInstrumentation)(),
};

/** OpenTelemetry's own instrumentation with its default options. */
module.exports = {
  register(client) {
    const make = INSTRUMENTATIONS[client];
    if (make !== undefined) registerInstrumentations({ instrumentations: [make()] });
  },
};
