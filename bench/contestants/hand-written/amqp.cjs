/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { context, propagation, ROOT_CONTEXT, SpanKind, trace } = require('@opentelemetry/api');
const { fail } = require('./failure.cjs');
const { consumedMessages, operationDuration, processDuration, sentMessages, tracer } = require('./instruments.cjs');

/** What both kinds of publish of an order have in common: the span with its context in the message, and its end. */
function orderPublish(port) {
  const operationMetric = {
    'messaging.system.name': 'rabbitmq',
    'messaging.operation.name': 'publish',
    'messaging.operation.type': 'send',
    'messaging.destination.name': 'orders:order.created',
    'server.address': '127.0.0.1',
    'server.port': port,
  };
  const { 'messaging.operation.type': _, ...sentMetric } = operationMetric;

  /** The message is the application's own fresh object. */
  function begin(routingKey, options) {
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
    return span;
  }

  function end(span, startedMs) {
    span.end();
    operationDuration.record((performance.now() - startedMs) / 1000, operationMetric);
    sentMessages.add(1, sentMetric);
  }

  return { begin, end };
}

/** `publish` whose span ends when it returns. */
function publisher(_connection, port) {
  const { begin, end } = orderPublish(port);
  return function publish(channel, exchange, routingKey, content, options) {
    const startedMs = performance.now();
    const span = begin(routingKey, options);
    try {
      return channel.publish(exchange, routingKey, content, options);
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      end(span, startedMs);
    }
  };
}

/** The same on a confirm channel, whose answer ends the span. */
function confirmedPublisher(port) {
  const { begin, end } = orderPublish(port);
  return function publish(channel, exchange, routingKey, content, options) {
    const startedMs = performance.now();
    const span = begin(routingKey, options);
    const answered = (error) => {
      if (error) fail(span, error);
      end(span, startedMs);
    };
    try {
      return channel.publish(exchange, routingKey, content, options, answered);
    } catch (error) {
      answered(error);
      throw error;
    }
  };
}

/** `publish` of replies: the name of a channel is in no span's name and on no metric. */
function replier(port) {
  const operationMetric = {
    'messaging.system.name': 'rabbitmq',
    'messaging.operation.name': 'publish',
    'messaging.operation.type': 'send',
    'server.address': '127.0.0.1',
    'server.port': port,
  };
  const { 'messaging.operation.type': _, ...sentMetric } = operationMetric;

  return function publish(channel, exchange, replyTo, content, options) {
    const startedMs = performance.now();
    const span = tracer.startSpan('publish', {
      kind: SpanKind.PRODUCER,
      attributes: {
        'messaging.system.name': 'rabbitmq',
        'messaging.operation.name': 'publish',
        'messaging.operation.type': 'send',
        'messaging.destination.name': replyTo,
        'messaging.destination.temporary': true,
        'messaging.destination.anonymous': true,
        'messaging.message.conversation_id': options.correlationId,
        'rabbitmq.destination.routing_key': replyTo,
        'server.address': '127.0.0.1',
        'server.port': port,
        'network.peer.address': '127.0.0.1',
        'network.peer.port': port,
      },
    });
    options.headers = {};
    propagation.inject(trace.setSpan(context.active(), span), options.headers);
    try {
      return channel.publish(exchange, replyTo, content, options);
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

/** `get` whose span links to the message that it brought. */
function getter(port, queue) {
  const destination = `orders:order.created:${queue}`;
  const operationMetric = {
    'messaging.system.name': 'rabbitmq',
    'messaging.operation.name': 'get',
    'messaging.operation.type': 'receive',
    'messaging.destination.name': destination,
    'server.address': '127.0.0.1',
    'server.port': port,
  };
  const { 'messaging.operation.type': _, ...consumedMetric } = operationMetric;

  return async function get(channel, name, options) {
    const startTime = Date.now();
    const startedMs = performance.now();
    const message = await channel.get(name, options);
    if (message === false) return message;
    const creation = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, message.properties.headers));
    const span = tracer.startSpan(`get ${destination}`, {
      kind: SpanKind.CLIENT,
      startTime,
      attributes: {
        'messaging.system.name': 'rabbitmq',
        'messaging.operation.name': 'get',
        'messaging.operation.type': 'receive',
        'messaging.destination.name': destination,
        'rabbitmq.destination.routing_key': message.fields.routingKey,
        'rabbitmq.message.delivery_tag': message.fields.deliveryTag,
        'messaging.message.id': message.properties.messageId,
        'messaging.message.conversation_id': message.properties.correlationId,
        'server.address': '127.0.0.1',
        'server.port': port,
        'network.peer.address': '127.0.0.1',
        'network.peer.port': port,
      },
      links: creation === undefined ? undefined : [{ context: creation }],
    });
    span.end();
    operationDuration.record((performance.now() - startedMs) / 1000, operationMetric);
    consumedMessages.add(1, consumedMetric);
    return message;
  };
}

/** Handlers that run inside a span of the producer's trace. */
function consumers(_connection, port, queue) {
  const name = `consume orders:order.created:${queue}`;
  const processMetric = {
    'messaging.system.name': 'rabbitmq',
    'messaging.operation.name': 'consume',
    'messaging.destination.name': `orders:order.created:${queue}`,
    'server.address': '127.0.0.1',
    'server.port': port,
  };

  function startSpan(message, parent) {
    const creation = trace.getSpanContext(parent);
    return tracer.startSpan(
      name,
      {
        kind: SpanKind.CONSUMER,
        attributes: {
          'messaging.system.name': 'rabbitmq',
          'messaging.operation.name': 'consume',
          'messaging.operation.type': 'process',
          'messaging.destination.name': processMetric['messaging.destination.name'],
          'rabbitmq.destination.routing_key': message.fields.routingKey,
          'rabbitmq.message.delivery_tag': message.fields.deliveryTag,
          'messaging.message.id': message.properties.messageId,
          'messaging.message.conversation_id': message.properties.correlationId,
          'server.address': '127.0.0.1',
          'server.port': port,
        },
        links: creation === undefined ? undefined : [{ context: creation }],
      },
      parent,
    );
  }

  function asynchronous(handler) {
    return async function onMessage(message) {
      const startedMs = performance.now();
      consumedMessages.add(1, processMetric);
      const parent = propagation.extract(ROOT_CONTEXT, message.properties.headers);
      const span = startSpan(message, parent);
      try {
        await context.with(trace.setSpan(parent, span), handler, undefined, message);
      } catch (error) {
        fail(span, error);
        throw error;
      } finally {
        span.end();
        processDuration.record((performance.now() - startedMs) / 1000, processMetric);
      }
    };
  }

  function synchronous(handler) {
    return function onMessage(message) {
      const startedMs = performance.now();
      consumedMessages.add(1, processMetric);
      const parent = propagation.extract(ROOT_CONTEXT, message.properties.headers);
      const span = startSpan(message, parent);
      try {
        context.with(trace.setSpan(parent, span), handler, undefined, message);
      } catch (error) {
        fail(span, error);
        throw error;
      } finally {
        span.end();
        processDuration.record((performance.now() - startedMs) / 1000, processMetric);
      }
    };
  }

  return { asynchronous, synchronous };
}

/** Acknowledges, and says so on the span of the message's processing. */
function acknowledge(channel, message) {
  channel.ack(message);
  trace.getActiveSpan()?.setAttribute('messaging.message.settlement', 'ack');
}

module.exports = { publisher, confirmedPublisher, replier, getter, consumers, acknowledge };
