/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const path = require('node:path');
const { context } = require('@opentelemetry/api');
const { startAmqpBroker } = require('./amqp-broker.cjs');
const { incomingTraceparents, poolIndex } = require('./incoming.cjs');
const { probe, probeHandler } = require('./probe.cjs');

const QUEUE = 'order-mail';
const EXCHANGE = 'orders';
const ROUTING_KEY = 'order.created';
const CONTENT = Buffer.from('{"order":4711,"total":12.5}');
const REPLY_TO = 'amq.rabbitmq.reply-to.g1h2AAtyYWJiaXQ.4711';
const YIELD_EVERY = 8;
/** Messages that the broker confirms with one frame. */
const CONFIRM_EVERY = 8;

/** Nothing to stub before the instrumentations: the connection is replaced once it is open. */
function prepare() {}

/**
 * amqplib's real connection handshake and channel. Afterwards the two functions of the connection that write to the socket
 * do nothing, and a delivery is the 'delivery' event that the channel emits for itself when a message's last frame arrived.
 */
async function open({ sampled, ambient, tracing }) {
  const amqplib = require('amqplib');
  const defs = require(path.join(path.dirname(require.resolve('amqplib')), 'lib/defs.js'));
  const port = await startAmqpBroker(defs);
  const connection = await amqplib.connect(`amqp://bench:bench@127.0.0.1:${port}`);
  const publisher = await connection.createChannel();
  const publish = tracing === undefined ? plainPublish : tracing.publisher(connection, port);
  const confirms = await connection.createConfirmChannel();
  const publishConfirmed = tracing === undefined ? plainPublish : tracing.confirmedPublisher(port);
  const puller = await connection.createChannel();
  const get = tracing === undefined ? plainGet : tracing.getter(port, QUEUE);

  const consumers = {};
  for (const [name, handler] of Object.entries(handlers(tracing, connection, port))) {
    const channel = await connection.createChannel();
    await channel.consume(QUEUE, handler(channel));
    consumers[name] = channel;
  }
  cutOff(connection.connection);

  const traceparents = incomingTraceparents(sampled);
  return {
    send: {
      messages: 1,
      run: (calls) => context.with(ambient, sendAll, undefined, publish, publisher, calls),
    },
    'send-confirmed': {
      messages: 1,
      run: (calls) => context.with(ambient, sendAllConfirmed, undefined, publishConfirmed, confirms, calls),
    },
    ...Object.fromEntries(
      Object.entries(consumers).map(([name, channel]) => [
        name,
        { messages: 1, run: (calls) => deliverAll(channel, traceparents, calls) },
      ]),
    ),
    get: {
      messages: 1,
      run: (calls) => context.with(ambient, getAll, undefined, get, puller, defs, traceparents, calls),
    },
  };
}

function handlers(tracing, connection, port) {
  const traced = tracing?.consumers(connection, port, QUEUE) ?? { asynchronous: (h) => h, synchronous: (h) => h };
  const acknowledge = tracing?.acknowledge ?? plainAcknowledge;
  const reply = tracing === undefined ? plainPublish : tracing.replier(port);
  return {
    consume: (channel) =>
      traced.asynchronous(async (message) => {
        if (probe.activeSpanIds !== undefined) probeHandler();
        acknowledge(channel, message);
      }),
    'consume-sync': (channel) =>
      traced.synchronous((message) => {
        if (probe.activeSpanIds !== undefined) probeHandler();
        acknowledge(channel, message);
      }),
    'consume-ack-first': (channel) =>
      traced.asynchronous(async (message) => {
        acknowledge(channel, message);
        await undefined;
        if (probe.activeSpanIds !== undefined) probeHandler();
      }),
    'consume-reply': (channel) =>
      traced.asynchronous(async (message) => {
        if (probe.activeSpanIds !== undefined) probeHandler();
        const { correlationId, replyTo } = message.properties;
        reply(channel, '', replyTo, CONTENT, { correlationId });
        acknowledge(channel, message);
      }),
    'retained-unacked': () => traced.asynchronous(async () => {}),
  };
}

function plainPublish(channel, exchange, routingKey, content, options) {
  return channel.publish(exchange, routingKey, content, options);
}

function plainAcknowledge(channel, message) {
  channel.ack(message);
}

function sendAll(publish, channel, calls) {
  for (let i = 0; i < calls; i++) {
    publish(channel, EXCHANGE, ROUTING_KEY, CONTENT, { persistent: true, messageId: 'order-4711' });
  }
}

function sendAllConfirmed(publish, channel, calls) {
  for (let i = 1; i <= calls; i++) {
    publish(channel, EXCHANGE, ROUTING_KEY, CONTENT, { persistent: true, messageId: 'order-4711' });
    if (i % CONFIRM_EVERY !== 0 && i !== calls) continue;
    channel.emit('ack', { deliveryTag: channel.lwm + channel.unconfirmed.length - 1, multiple: true });
  }
}

function plainGet(channel, queue, options) {
  return channel.get(queue, options);
}

async function getAll(get, channel, defs, traceparents, calls) {
  for (let i = 0; i < calls; i++) {
    const pulled = get(channel, QUEUE, { noAck: true });
    const { fields, properties, content } = delivery(i + 1, traceparents[poolIndex(i)]);
    channel.accept({ id: defs.BasicGetOk, fields });
    channel.accept({ id: defs.BasicProperties, fields: properties, size: content.length });
    channel.accept({ content });
    await pulled;
  }
}

async function deliverAll(channel, traceparents, calls) {
  for (let i = 0; i < calls; i++) {
    channel.emit('delivery', delivery(i + 1, traceparents[poolIndex(i)]));
    // A socket's chunk holds a few deliveries; the promises of their handlers settle between chunks.
    if (i % YIELD_EVERY === 0) await undefined;
  }
  await undefined;
}

/** A message as amqplib's decoder makes it: every property is there, most of them undefined. */
function delivery(deliveryTag, traceparent) {
  return {
    fields: { consumerTag: 'bench', deliveryTag, redelivered: false, exchange: EXCHANGE, routingKey: ROUTING_KEY },
    properties: {
      contentType: undefined,
      contentEncoding: undefined,
      headers: { traceparent },
      deliveryMode: 2,
      priority: undefined,
      correlationId: 'question-4711',
      replyTo: REPLY_TO,
      expiration: undefined,
      messageId: 'order-4711',
      timestamp: undefined,
      type: undefined,
      userId: undefined,
      appId: undefined,
      clusterId: undefined,
    },
    content: CONTENT,
  };
}

function cutOff(connection) {
  connection.sendMethod = () => {};
  connection.sendMessage = (_channel, _method, _fields, _properties, properties) => {
    if (probe.carriers !== undefined) probe.carriers.push(properties.headers ?? {});
    return true;
  };
}

module.exports = { prepare, open };
