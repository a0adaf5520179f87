/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { context, propagation, ROOT_CONTEXT, SpanKind, trace } = require('@opentelemetry/api');
const { fail } = require('./failure.cjs');
const { consumedMessages, processDuration, queueDuration, tracer } = require('./instruments.cjs');

const attributeGetter = {
  keys: (carrier) => Object.keys(carrier),
  get: (carrier, key) => carrier[key]?.stringValue,
};

const PROCESSED = {
  'messaging.system.name': 'aws.sqs',
  'messaging.operation.name': 'process',
  'messaging.destination.name': 'orders',
  'server.address': 'sqs.us-east-1.amazonaws.com',
  'server.port': 443,
};

const TRANSIT = {
  'messaging.system.name': 'aws.sqs',
  'messaging.destination.name': 'orders',
  'server.address': 'sqs.us-east-1.amazonaws.com',
};

/** A handler with tracing around the batch and around each of its records. */
function handler(handle) {
  async function processOne(record, parent, batchLink) {
    const startedMs = performance.now();
    const latencyMs = Math.max(0, Date.now() - Number(record.attributes.SentTimestamp));
    queueDuration.record(latencyMs / 1000, TRANSIT);
    const creation = trace.getSpanContext(parent);
    const attributes = processAttributes(record);
    attributes['messaging.message.id'] = record.messageId;
    attributes['messaging.message.receive.latency'] = latencyMs;
    const links = creation === undefined ? [batchLink] : [{ context: creation }, batchLink];
    const span = tracer.startSpan('process orders', { kind: SpanKind.CONSUMER, attributes, links }, parent);
    try {
      await context.with(trace.setSpan(parent, span), handle, undefined, record);
      span.setAttribute('messaging.message.settlement', 'delete');
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
      processDuration.record((performance.now() - startedMs) / 1000, PROCESSED);
    }
  }

  return async ({ Records }) => {
    const parents = [];
    const links = [];
    for (const record of Records) {
      const parent = propagation.extract(ROOT_CONTEXT, record.messageAttributes, attributeGetter);
      const creation = trace.getSpanContext(parent);
      parents.push(parent);
      if (creation !== undefined) {
        links.push({ context: creation, attributes: { 'messaging.message.id': record.messageId } });
      }
    }
    const attributes = processAttributes(Records[0]);
    attributes['messaging.batch.message_count'] = Records.length;
    const span = tracer.startSpan('process orders', { kind: SpanKind.CONSUMER, attributes, links });
    consumedMessages.add(Records.length, PROCESSED);
    const batchLink = { context: span.spanContext() };
    const active = trace.setSpan(context.active(), span);
    try {
      for (let i = 0; i < Records.length; i++) {
        await context.with(active, processOne, undefined, Records[i], parents[i], batchLink);
      }
      return { batchItemFailures: [] };
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
    }
  };
}

function processAttributes({ eventSourceARN }) {
  const [, , , region, account, name] = eventSourceARN.split(':');
  return {
    'messaging.system.name': 'aws.sqs',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': name,
    'aws.sqs.queue.url': `https://sqs.${region}.amazonaws.com/${account}/${name}`,
    'server.address': `sqs.${region}.amazonaws.com`,
    'server.port': 443,
  };
}

module.exports = { handler };
