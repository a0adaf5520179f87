/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { context, propagation, ROOT_CONTEXT, SpanKind, trace } = require('@opentelemetry/api');
const { fail } = require('./failure.cjs');
const {
  consumedMessages,
  operationDuration,
  processDuration,
  queueDuration,
  sentMessages,
  tracer,
} = require('./instruments.cjs');

const SEND_DURATION = {
  'messaging.system.name': 'kafka',
  'messaging.operation.name': 'send',
  'messaging.operation.type': 'send',
  'messaging.destination.name': 'orders',
  'server.address': '127.0.0.1',
  'server.port': 9092,
};
const SENT = {
  'messaging.system.name': 'kafka',
  'messaging.operation.name': 'send',
  'messaging.destination.name': 'orders',
  'server.address': '127.0.0.1',
  'server.port': 9092,
};
const PROCESSED = {
  'messaging.system.name': 'kafka',
  'messaging.operation.name': 'process',
  'messaging.destination.name': 'orders',
  'messaging.destination.partition.id': '0',
  'messaging.consumer.group.name': 'mailer',
  'server.address': '127.0.0.1',
  'server.port': 9092,
};

const TRANSIT = {
  'messaging.system.name': 'kafka',
  'messaging.destination.name': 'orders',
  'messaging.consumer.group.name': 'mailer',
  'server.address': '127.0.0.1',
};

/** Header values arrive as buffers. */
const headerGetter = {
  keys: (headers) => Object.keys(headers),
  get: (headers, key) => headers[key]?.toString(),
};

/** `producer.send`: one message carries the send span's context, each of several its own create span's. */
function send(producer, record) {
  return record.messages.length === 1 ? sendOne(producer, record) : sendMany(producer, record);
}

async function sendOne(producer, record) {
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
  const headers = {};
  propagation.inject(trace.setSpan(context.active(), span), headers);
  record.messages[0].headers = headers;
  try {
    const result = await producer.send(record);
    span.setAttribute('messaging.destination.partition.id', String(result[0].partition));
    span.setAttribute('kafka.offset', Number(result[0].baseOffset));
    return result;
  } catch (error) {
    fail(span, error);
    throw error;
  } finally {
    span.end();
    operationDuration.record((performance.now() - startedMs) / 1000, SEND_DURATION);
    sentMessages.add(1, SENT);
  }
}

async function sendMany(producer, record) {
  const startedMs = performance.now();
  const active = context.active();
  const { messages } = record;
  const links = [];
  for (const message of messages) {
    const created = tracer.startSpan('create orders', {
      kind: SpanKind.PRODUCER,
      attributes: {
        'messaging.system.name': 'kafka',
        'messaging.operation.name': 'create',
        'messaging.operation.type': 'create',
        'messaging.destination.name': 'orders',
        'server.address': '127.0.0.1',
        'server.port': 9092,
      },
    });
    const headers = {};
    propagation.inject(trace.setSpan(active, created), headers);
    message.headers = headers;
    links.push({ context: created.spanContext() });
    created.end();
  }
  const span = tracer.startSpan('send orders', {
    kind: SpanKind.CLIENT,
    attributes: {
      'messaging.system.name': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'orders',
      'messaging.batch.message_count': messages.length,
      'messaging.client.id': 'shop',
      'server.address': '127.0.0.1',
      'server.port': 9092,
    },
    links,
  });
  try {
    const result = await producer.send(record);
    if (result.length === 1) span.setAttribute('messaging.destination.partition.id', String(result[0].partition));
    return result;
  } catch (error) {
    fail(span, error);
    throw error;
  } finally {
    span.end();
    operationDuration.record((performance.now() - startedMs) / 1000, SEND_DURATION);
    sentMessages.add(messages.length, SENT);
  }
}

/** `eachMessage` that runs the handler in a span of the producer's trace. */
function eachMessage(handler) {
  return async function onMessage(payload) {
    const startedMs = performance.now();
    consumedMessages.add(1, PROCESSED);
    const { message } = payload;
    const parent = propagation.extract(ROOT_CONTEXT, message.headers, headerGetter);
    const creation = trace.getSpanContext(parent);
    const span = startProcessSpan(message, parent, creation === undefined ? undefined : [{ context: creation }]);
    try {
      await context.with(trace.setSpan(parent, span), handler, undefined, payload);
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
      processDuration.record((performance.now() - startedMs) / 1000, PROCESSED);
    }
  };
}

/** `eachBatch` with a span for the batch, linked to all its messages, and one for each message in its producer's trace. */
function eachBatch(handler) {
  return async function onBatch({ batch, resolveOffset }) {
    const { messages } = batch;
    consumedMessages.add(messages.length, PROCESSED);
    const { parents, links } = producersOf(messages);
    const batchSpan = startBatchSpan(messages.length, links);
    const batchLink = { context: batchSpan.spanContext() };
    try {
      for (let i = 0; i < messages.length; i++) {
        const message = messages[i];
        const startedMs = performance.now();
        const creation = trace.getSpanContext(parents[i]);
        const span = startProcessSpan(
          message,
          parents[i],
          creation === undefined ? [batchLink] : [{ context: creation }, batchLink],
        );
        try {
          await context.with(trace.setSpan(parents[i], span), handler, undefined, message);
        } catch (error) {
          fail(span, error);
          throw error;
        } finally {
          span.end();
          processDuration.record((performance.now() - startedMs) / 1000, PROCESSED);
        }
        resolveOffset(message.offset);
      }
    } catch (error) {
      fail(batchSpan, error);
      throw error;
    } finally {
      batchSpan.end();
    }
  };
}

/**
 * `eachBatch` that walks by index: the handler runs in the batch's context, and each message gets its span when it is done,
 * from the moment when the one before was.
 */
function eachBatchByIndex(handler) {
  return async function onBatch({ batch: { messages }, resolveOffset }) {
    const startedMs = performance.now();
    const epochMs = Date.now() - startedMs;
    consumedMessages.add(messages.length, PROCESSED);
    const { parents, links } = producersOf(messages);
    const batchSpan = startBatchSpan(messages.length, links);
    const batchLink = { context: batchSpan.spanContext() };
    const inBatch = trace.setSpan(ROOT_CONTEXT, batchSpan);
    try {
      let beforeMs = startedMs;
      for (let i = 0; i < messages.length; i++) {
        const message = messages[i];
        await context.with(inBatch, handler, undefined, message);
        resolveOffset(message.offset);
        const creation = trace.getSpanContext(parents[i]);
        const own = creation === undefined ? [batchLink] : [{ context: creation }, batchLink];
        const span = startProcessSpan(message, parents[i], own, epochMs + beforeMs);
        const nowMs = performance.now();
        span.end(epochMs + nowMs);
        processDuration.record((nowMs - beforeMs) / 1000, PROCESSED);
        beforeMs = nowMs;
      }
    } catch (error) {
      fail(batchSpan, error);
      throw error;
    } finally {
      batchSpan.end();
    }
  };
}

/** What each message brought, and links to all producers. */
function producersOf(messages) {
  const parents = [];
  const links = [];
  for (const message of messages) {
    const parent = propagation.extract(ROOT_CONTEXT, message.headers, headerGetter);
    const creation = trace.getSpanContext(parent);
    parents.push(parent);
    if (creation !== undefined)
      links.push({ context: creation, attributes: { 'kafka.offset': Number(message.offset) } });
  }
  return { parents, links };
}

function startBatchSpan(count, links) {
  return tracer.startSpan(
    'process orders',
    {
      kind: SpanKind.CONSUMER,
      attributes: {
        'messaging.system.name': 'kafka',
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.destination.name': 'orders',
        'messaging.destination.partition.id': '0',
        'messaging.batch.message_count': count,
        'messaging.client.id': 'shop',
        'messaging.consumer.group.name': 'mailer',
        'server.address': '127.0.0.1',
        'server.port': 9092,
      },
      links,
    },
    ROOT_CONTEXT,
  );
}

function startProcessSpan(message, parent, links, startTime) {
  const latencyMs = Math.max(0, Date.now() - Number(message.timestamp));
  queueDuration.record(latencyMs / 1000, TRANSIT);
  return tracer.startSpan(
    'process orders',
    {
      kind: SpanKind.CONSUMER,
      attributes: {
        'messaging.system.name': 'kafka',
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.destination.name': 'orders',
        'messaging.destination.partition.id': '0',
        'messaging.client.id': 'shop',
        'messaging.consumer.group.name': 'mailer',
        'kafka.offset': Number(message.offset),
        'messaging.message.receive.latency': latencyMs,
        'server.address': '127.0.0.1',
        'server.port': 9092,
      },
      links,
      startTime,
    },
    parent,
  );
}

module.exports = { send, eachMessage, eachBatch, eachBatchByIndex, startProcessSpan, SEND_DURATION, SENT, PROCESSED };
