/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { metrics, trace } = require('@opentelemetry/api');

const DURATION_S = {
  unit: 's',
  advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] },
};

const meter = metrics.getMeter('bench');

/** Tracer and instruments that the hand-written code of every client uses; asked for once, after the SDK is registered. */
module.exports = {
  tracer: trace.getTracer('bench'),
  operationDuration: meter.createHistogram('messaging.client.operation.duration', DURATION_S),
  processDuration: meter.createHistogram('messaging.process.duration', DURATION_S),
  queueDuration: meter.createHistogram('messaging.message.queue.duration', DURATION_S),
  sentMessages: meter.createCounter('messaging.client.sent.messages', { unit: '{message}' }),
  injections: meter.createCounter('messaging.message.injections', { unit: '{message}' }),
  consumedMessages: meter.createCounter('messaging.client.consumed.messages', { unit: '{message}' }),
};
