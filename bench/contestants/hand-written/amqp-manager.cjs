/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { context, propagation, SpanKind, trace } = require('@opentelemetry/api');
const { fail } = require('./failure.cjs');
const { operationDuration, sentMessages, tracer } = require('./instruments.cjs');

/** `publish` whose span ends with the answer, and whose context is in the message, the application's own fresh object. */
function publisher(port) {
  const operationMetric = {
    'messaging.system.name': 'rabbitmq',
    'messaging.operation.name': 'publish',
    'messaging.operation.type': 'send',
    'messaging.destination.name': 'orders:order.created',
    'server.address': '127.0.0.1',
    'server.port': port,
  };
  const { 'messaging.operation.type': _, ...sentMetric } = operationMetric;

  return async function publish(wrapper, exchange, routingKey, content, options) {
    const startedMs = performance.now();
    const span = tracer.startSpan('publish orders:order.created', {
      kind: SpanKind.PRODUCER,
      attributes: {
        'messaging.system.name': 'rabbitmq',
        'messaging.operation.name': 'publish',
        'messaging.operation.type': 'send',
        'messaging.destination.name': 'orders:order.created',
        'rabbitmq.destination.routing_key': routingKey,
        'messaging.message.id': options.messageId,
        'server.address': '127.0.0.1',
        'server.port': port,
        'network.peer.address': '127.0.0.1',
        'network.peer.port': port,
      },
    });
    options.headers = {};
    propagation.inject(trace.setSpan(context.active(), span), options.headers);
    try {
      return await wrapper.publish(exchange, routingKey, content, options);
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
      operationDuration.record((performance.now() - startedMs) / 1000, operationMetric);
      sentMessages.add(1, sentMetric);
    }
  };
}

module.exports = { publisher };
