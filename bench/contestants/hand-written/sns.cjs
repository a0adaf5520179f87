/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { context, propagation, SpanKind, trace } = require('@opentelemetry/api');
const { fail } = require('./failure.cjs');
const { injections, operationDuration, sentMessages, tracer } = require('./instruments.cjs');

const attributeSetter = {
  set(carrier, key, value) {
    carrier[key] = { DataType: 'String', StringValue: value };
  },
};

const SENT = countAttributes();
const INJECTED = { ...SENT, 'messaging.message.carrier': 'complete' };
const PUBLISH_DURATION = { ...SENT, 'messaging.operation.type': 'send' };

/** The application's publishes, with tracing around each. */
function application({ PublishBatchCommand, PublishCommand }) {
  async function publish(client, input) {
    const startedMs = performance.now();
    const span = tracer.startSpan('publish orders', {
      kind: SpanKind.PRODUCER,
      attributes: operationAttributes(input.TopicArn, 'Publish'),
    });
    input.MessageAttributes = {};
    propagation.inject(trace.setSpan(context.active(), span), input.MessageAttributes, attributeSetter);
    try {
      const output = await client.send(new PublishCommand(input));
      span.setAttribute('messaging.message.id', output.MessageId);
      span.setAttribute('aws.request_id', output.$metadata.requestId);
      return output;
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
      operationDuration.record((performance.now() - startedMs) / 1000, PUBLISH_DURATION);
      sentMessages.add(1, SENT);
      injections.add(1, INJECTED);
    }
  }

  async function publishBatch(client, input) {
    const startedMs = performance.now();
    const active = context.active();
    const creations = [];
    for (const entry of input.PublishBatchRequestEntries) {
      const created = tracer.startSpan('create orders', {
        kind: SpanKind.PRODUCER,
        attributes: {
          'messaging.system.name': 'aws.sns',
          'messaging.operation.name': 'create',
          'messaging.operation.type': 'create',
          'messaging.destination.name': 'orders',
          'aws.sns.topic.arn': input.TopicArn,
          'server.address': '127.0.0.1',
          'server.port': 9324,
        },
      });
      entry.MessageAttributes = {};
      propagation.inject(trace.setSpan(active, created), entry.MessageAttributes, attributeSetter);
      creations.push(created.spanContext());
      created.end();
    }
    const attributes = operationAttributes(input.TopicArn, 'PublishBatch');
    attributes['messaging.batch.message_count'] = input.PublishBatchRequestEntries.length;
    const span = tracer.startSpan('publish orders', { kind: SpanKind.CLIENT, attributes });
    try {
      const output = await client.send(new PublishBatchCommand(input));
      const links = [];
      for (let i = 0; i < creations.length; i++) {
        links.push({
          context: creations[i],
          attributes: { 'messaging.message.id': output.Successful[i]?.MessageId },
        });
      }
      span.addLinks(links);
      span.setAttribute('aws.request_id', output.$metadata.requestId);
      return output;
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
      operationDuration.record((performance.now() - startedMs) / 1000, PUBLISH_DURATION);
      sentMessages.add(input.PublishBatchRequestEntries.length, SENT);
      injections.add(input.PublishBatchRequestEntries.length, INJECTED);
    }
  }

  return { publish, publishBatch };
}

function operationAttributes(topicArn, method) {
  return {
    'messaging.system.name': 'aws.sns',
    'messaging.operation.name': 'publish',
    'messaging.operation.type': 'send',
    'messaging.destination.name': 'orders',
    'aws.sns.topic.arn': topicArn,
    'rpc.system': 'aws-api',
    'rpc.service': 'SNS',
    'rpc.method': method,
    'cloud.region': 'us-east-1',
    'server.address': '127.0.0.1',
    'server.port': 9324,
  };
}

function countAttributes() {
  return {
    'messaging.system.name': 'aws.sns',
    'messaging.operation.name': 'publish',
    'messaging.destination.name': 'orders',
    'server.address': '127.0.0.1',
    'server.port': 9324,
  };
}

module.exports = { application };
