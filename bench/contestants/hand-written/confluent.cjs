/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { context, propagation, ROOT_CONTEXT, SpanKind, trace } = require('@opentelemetry/api');
const { fail } = require('./failure.cjs');
const { consumedMessages, operationDuration, processDuration, sentMessages, tracer } = require('./instruments.cjs');
const kafka = require('./kafka.cjs');

const { PROCESSED, SEND_DURATION, SENT } = kafka;

/** Headers are a list of objects with one property each. */
const headerGetter = {
  keys: (headers) => headers.flatMap(Object.keys),
  get: (headers, key) => headers.find((header) => key in header)?.[key].toString(),
};

/** `producer.produce`; the span is the opaque value that the delivery report brings back. */
function produce(producer, topic, partition, value, key) {
  const startedMs = performance.now();
  const span = tracer.startSpan('send orders', {
    kind: SpanKind.PRODUCER,
    attributes: {
      'messaging.system.name': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'orders',
      'messaging.client.id': 'shop',
      'server.address': '127.0.0.1',
      'server.port': 9092,
    },
  });
  const fields = {};
  propagation.inject(trace.setSpan(context.active(), span), fields);
  const headers = Object.keys(fields).map((name) => ({ [name]: fields[name] }));
  try {
    return producer.produce(topic, partition, value, key, null, { span, startedMs }, headers);
  } catch (error) {
    fail(span, error);
    span.end();
    throw error;
  }
}

/** Ends the spans of a producer's messages. */
function follow(producer) {
  producer.on('delivery-report', (error, { partition, offset, opaque: { span, startedMs } }) => {
    if (error) fail(span, error);
    span.setAttribute('messaging.destination.partition.id', String(partition));
    span.setAttribute('kafka.offset', offset);
    span.end();
    operationDuration.record((performance.now() - startedMs) / 1000, SEND_DURATION);
    sentMessages.add(1, SENT);
  });
}

/** A listener of 'data' that runs the handler in a span of the producer's trace. */
function listener(handler) {
  return async function onData(message) {
    const startedMs = performance.now();
    consumedMessages.add(1, PROCESSED);
    const parent = propagation.extract(ROOT_CONTEXT, message.headers, headerGetter);
    const creation = trace.getSpanContext(parent);
    const span = kafka.startProcessSpan(message, parent, creation === undefined ? undefined : [{ context: creation }]);
    try {
      await context.with(trace.setSpan(parent, span), handler, undefined, message);
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
      processDuration.record((performance.now() - startedMs) / 1000, PROCESSED);
    }
  };
}

module.exports = { send: kafka.send, eachMessage: kafka.eachMessage, produce, follow, listener };
