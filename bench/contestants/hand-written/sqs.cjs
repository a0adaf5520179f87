/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  trace,
  TraceFlags,
  isSpanContextValid,
} = require('@opentelemetry/api');
const { fail } = require('./failure.cjs');
const {
  consumedMessages,
  injections,
  operationDuration,
  processDuration,
  queueDuration,
  sentMessages,
  tracer,
} = require('./instruments.cjs');

const attributeSetter = {
  set(carrier, key, value) {
    carrier[key] = { DataType: 'String', StringValue: value };
  },
};
const attributeGetter = {
  keys: (carrier) => Object.keys(carrier),
  get: (carrier, key) => carrier[key]?.StringValue,
};

const QUEUE_URL = 'http://127.0.0.1:9324/000000000000/orders';
const PROPAGATION_ATTRIBUTES = ['traceparent', 'tracestate', 'baggage'];
const SYSTEM_ATTRIBUTES = ['AWSTraceHeader', 'SentTimestamp', 'ApproximateReceiveCount', 'DeadLetterQueueSourceArn'];

const SEND_DURATION = durationAttributes('send', 'send');
const RECEIVE_DURATION = durationAttributes('receive', 'receive');
const DELETE_DURATION = durationAttributes('delete', 'settle');
const SENT = countAttributes('send');
const CONSUMED = countAttributes('receive');
const PROCESSED = countAttributes('process');
const TRANSIT = {
  'messaging.system.name': 'aws.sqs',
  'messaging.destination.name': 'orders',
  'server.address': '127.0.0.1',
};
const INJECTED = { ...SENT, 'messaging.message.carrier': 'complete' };

/** The application's sends, polls and deletes, with tracing around each. */
function application(sqs, handle) {
  const { ChangeMessageVisibilityCommand, DeleteMessageCommand } = sqs;
  const { ReceiveMessageCommand, SendMessageBatchCommand, SendMessageCommand } = sqs;

  async function send(client, input) {
    const startedMs = performance.now();
    const span = tracer.startSpan('send orders', {
      kind: SpanKind.PRODUCER,
      attributes: operationAttributes(input.QueueUrl, 'send', 'send', 'SendMessage'),
    });
    input.MessageAttributes = {};
    propagation.inject(trace.setSpan(context.active(), span), input.MessageAttributes, attributeSetter);
    input.MessageSystemAttributes = traceHeader(span.spanContext());
    try {
      const output = await sendIn(span, client, new SendMessageCommand(input));
      span.setAttribute('messaging.message.id', output.MessageId);
      span.setAttribute('aws.request_id', output.$metadata.requestId);
      return output;
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
      operationDuration.record((performance.now() - startedMs) / 1000, SEND_DURATION);
      sentMessages.add(1, SENT);
      injections.add(1, INJECTED);
    }
  }

  async function sendBatch(client, input) {
    const startedMs = performance.now();
    const active = context.active();
    const creations = [];
    for (const entry of input.Entries) {
      const created = tracer.startSpan('create orders', {
        kind: SpanKind.PRODUCER,
        attributes: {
          'messaging.system.name': 'aws.sqs',
          'messaging.operation.name': 'create',
          'messaging.operation.type': 'create',
          'messaging.destination.name': 'orders',
          'aws.sqs.queue.url': input.QueueUrl,
          'server.address': '127.0.0.1',
          'server.port': 9324,
        },
      });
      entry.MessageAttributes = {};
      propagation.inject(trace.setSpan(active, created), entry.MessageAttributes, attributeSetter);
      entry.MessageSystemAttributes = traceHeader(created.spanContext());
      creations.push(created.spanContext());
      created.end();
    }
    const attributes = operationAttributes(input.QueueUrl, 'send', 'send', 'SendMessageBatch');
    attributes['messaging.batch.message_count'] = input.Entries.length;
    const span = tracer.startSpan('send orders', { kind: SpanKind.CLIENT, attributes });
    try {
      const output = await sendIn(span, client, new SendMessageBatchCommand(input));
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
      operationDuration.record((performance.now() - startedMs) / 1000, SEND_DURATION);
      sentMessages.add(input.Entries.length, SENT);
      injections.add(input.Entries.length, INJECTED);
    }
  }

  const receive = (client, input) => receiveWith(client, input, handle);

  const receiveByIndex = (client, input) => receiveWith(client, input, handleAndRemove, client);

  const receiveAndPostpone = (client, input) => receiveWith(client, input, handleAndPostpone, client);

  async function handleAndRemove(message, client, span, creation) {
    await handle(message);
    const { ReceiptHandle } = message;
    await remove(client, { QueueUrl: QUEUE_URL, ReceiptHandle }, [{ context: creation }], message.MessageId);
    span.setAttribute('messaging.message.settlement', 'delete');
  }

  async function handleAndPostpone(message, client, span) {
    await handle(message);
    const { ReceiptHandle } = message;
    await client.send(new ChangeMessageVisibilityCommand({ QueueUrl: QUEUE_URL, ReceiptHandle, VisibilityTimeout: 0 }));
    span.setAttribute('messaging.message.settlement', 'retry');
  }

  async function receiveWith(client, input, handler, passed) {
    const { messages, parents, receiveLink, requestId } = await poll(client, input);
    for (let i = 0; i < messages.length; i++) {
      await processOne(messages[i], parents[i], receiveLink, input.QueueUrl, requestId, handler, passed);
    }
  }

  async function poll(client, input) {
    const startedMs = performance.now();
    input.MessageAttributeNames = PROPAGATION_ATTRIBUTES;
    input.MessageSystemAttributeNames = SYSTEM_ATTRIBUTES;
    const span = tracer.startSpan('receive orders', {
      kind: SpanKind.CLIENT,
      attributes: operationAttributes(input.QueueUrl, 'receive', 'receive', 'ReceiveMessage'),
    });
    let messages;
    let requestId;
    const parents = [];
    try {
      const output = await sendIn(span, client, new ReceiveMessageCommand(input));
      messages = output.Messages ?? [];
      requestId = output.$metadata.requestId;
      const links = [];
      for (const message of messages) {
        const parent = propagation.extract(ROOT_CONTEXT, message.MessageAttributes ?? {}, attributeGetter);
        parents.push(parent);
        const creation = trace.getSpanContext(parent);
        if (creation !== undefined) {
          links.push({ context: creation, attributes: { 'messaging.message.id': message.MessageId } });
        }
      }
      span.addLinks(links);
      span.setAttribute('messaging.batch.message_count', messages.length);
      span.setAttribute('aws.request_id', requestId);
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
      operationDuration.record((performance.now() - startedMs) / 1000, RECEIVE_DURATION);
    }
    consumedMessages.add(messages.length, CONSUMED);
    return { messages, parents, receiveLink: { context: span.spanContext() }, requestId };
  }

  async function processOne(message, parent, receiveLink, queueUrl, requestId, handler, passed) {
    const startedMs = performance.now();
    const latencyMs = Math.max(0, Date.now() - Number(message.Attributes.SentTimestamp));
    queueDuration.record(latencyMs / 1000, TRANSIT);
    const creation = trace.getSpanContext(parent);
    const span = tracer.startSpan(
      'process orders',
      {
        kind: SpanKind.CONSUMER,
        attributes: {
          'messaging.system.name': 'aws.sqs',
          'messaging.operation.name': 'process',
          'messaging.operation.type': 'process',
          'messaging.destination.name': 'orders',
          'messaging.message.id': message.MessageId,
          'messaging.message.receive.latency': latencyMs,
          'aws.request_id': requestId,
          'aws.sqs.queue.url': queueUrl,
          'server.address': '127.0.0.1',
          'server.port': 9324,
        },
        links: creation === undefined ? [receiveLink] : [{ context: creation }, receiveLink],
      },
      parent,
    );
    try {
      await context.with(trace.setSpan(parent, span), handler, undefined, message, passed, span, creation);
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
      processDuration.record((performance.now() - startedMs) / 1000, PROCESSED);
    }
  }

  async function remove(client, input, links, messageId) {
    const startedMs = performance.now();
    const attributes = operationAttributes(input.QueueUrl, 'delete', 'settle', 'DeleteMessage');
    if (messageId !== undefined) attributes['messaging.message.id'] = messageId;
    const span = tracer.startSpan('delete orders', { kind: SpanKind.CLIENT, attributes, links });
    try {
      const output = await sendIn(span, client, new DeleteMessageCommand(input));
      span.setAttribute('aws.request_id', output.$metadata.requestId);
      return output;
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
      operationDuration.record((performance.now() - startedMs) / 1000, DELETE_DURATION);
    }
  }

  return { send, sendBatch, receive, receiveByIndex, receiveAndPostpone, remove, poll, processOne };
}

function operationAttributes(queueUrl, name, type, method) {
  return {
    'messaging.system.name': 'aws.sqs',
    'messaging.operation.name': name,
    'messaging.operation.type': type,
    'messaging.destination.name': 'orders',
    'aws.sqs.queue.url': queueUrl,
    'rpc.system': 'aws-api',
    'rpc.service': 'SQS',
    'rpc.method': method,
    'cloud.region': 'us-east-1',
    'server.address': '127.0.0.1',
    'server.port': 9324,
  };
}

function durationAttributes(name, type) {
  return {
    'messaging.system.name': 'aws.sqs',
    'messaging.operation.name': name,
    'messaging.operation.type': type,
    'messaging.destination.name': 'orders',
    'server.address': '127.0.0.1',
    'server.port': 9324,
  };
}

function countAttributes(name) {
  return {
    'messaging.system.name': 'aws.sqs',
    'messaging.operation.name': name,
    'messaging.destination.name': 'orders',
    'server.address': '127.0.0.1',
    'server.port': 9324,
  };
}

/** In the context of the span, so that the span of the HTTP request is its child. */
function sendIn(span, client, command) {
  return context.with(trace.setSpan(context.active(), span), client.send, client, command);
}

/** The context once more as the system attribute that other languages and AWS itself read. */
function traceHeader(spanContext) {
  if (!isSpanContextValid(spanContext)) return undefined;
  const { traceId, spanId, traceFlags } = spanContext;
  const sampled = (traceFlags & TraceFlags.SAMPLED) !== 0 ? 1 : 0;
  return {
    AWSTraceHeader: {
      DataType: 'String',
      StringValue: `Root=1-${traceId.slice(0, 8)}-${traceId.slice(8)};Parent=${spanId};Sampled=${sampled}`,
    },
  };
}

module.exports = { application };
