/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { context } = require('@opentelemetry/api');
const { incomingTraceparents, poolIndex } = require('./incoming.cjs');
const { probe, probeHandler } = require('./probe.cjs');

const TOPIC = 'orders';
const KEY = 'customer-17';
const VALUE = Buffer.from('{"order":4711,"total":12.5}');
const CONFIG = { 'client.id': 'shop', 'bootstrap.servers': '127.0.0.1:9092' };

function prepare() {}

/** All of the client's JavaScript is its own; what it calls of the binding is replaced, and so is the loop behind `run`. */
async function open({ sampled, ambient, tracing }) {
  const { KafkaConsumer, KafkaJS, Producer } = require('@confluentinc/kafka-javascript');
  const send = tracing?.send ?? ((producer, record) => producer.send(record));
  const produce = tracing?.produce ?? ((producer, ...args) => producer.produce(...args));
  const traceparents = incomingTraceparents(sampled).map((traceparent) => Buffer.from(traceparent));
  connectWithout(Producer);
  const kafka = new KafkaJS.Kafka(CONFIG);
  const producer = kafka.producer({ log_level: 0 });
  await producer.connect();
  const native = connected(new Producer({ ...CONFIG, dr_cb: true }));
  tracing?.follow(native);
  const eachMessage = await runnerOf(kafka, tracing?.eachMessage(handle) ?? handle);
  const flow = flowOf(new KafkaConsumer({ ...CONFIG, 'group.id': 'mailer' }), tracing?.listener(handle) ?? handle);

  return {
    send: { messages: 1, run: (calls) => context.with(ambient, sendAll, undefined, send, producer, calls) },
    produce: { messages: 1, run: (calls) => context.with(ambient, produceAll, undefined, produce, native, calls) },
    consume: { messages: 1, run: (calls) => dispatch(eachMessage, traceparents, calls) },
    'consume-data': { messages: 1, run: (calls) => deliver(flow, traceparents, calls) },
  };
}

async function handle() {
  if (probe.activeSpanIds !== undefined) probeHandler();
}

async function sendAll(send, producer, calls) {
  for (let i = 0; i < calls; i++) await send(producer, { topic: TOPIC, messages: [{ key: KEY, value: VALUE }] });
}

async function produceAll(produce, producer, calls) {
  for (let i = 0; i < calls; i++) produce(producer, TOPIC, null, VALUE, KEY);
}

async function dispatch(eachMessage, traceparents, calls) {
  for (let i = 0; i < calls; i++) {
    const message = {
      key: KEY_BYTES,
      value: VALUE,
      timestamp: TIMESTAMP_TEXT,
      attributes: 0,
      offset: OFFSETS[poolIndex(i)],
      size: VALUE.length,
      leaderEpoch: 0,
      headers: { traceparent: traceparents[poolIndex(i)] },
    };
    await eachMessage({ topic: TOPIC, partition: 0, message, heartbeat, pause });
  }
}

async function deliver(flow, traceparents, calls) {
  for (let i = 0; i < calls; i++) {
    flow(null, {
      topic: TOPIC,
      partition: 0,
      offset: 500_000 + poolIndex(i),
      key: KEY_BYTES,
      value: VALUE,
      size: VALUE.length,
      timestamp: TIMESTAMP,
      headers: [{ traceparent: traceparents[poolIndex(i)] }],
    });
    await null; // the handler's promise
  }
}

const KEY_BYTES = Buffer.from(KEY);
const TIMESTAMP = Date.now();
const TIMESTAMP_TEXT = String(TIMESTAMP);
const OFFSETS = Array.from({ length: 1024 }, (_, i) => String(500_000 + i));

async function heartbeat() {}
function pause() {}

/** A client that believes that it is connected; its binding reports each message as delivered, at once. */
function connected(client) {
  client._isConnected = true;
  client._client = {
    produce(_topic, _partition, _value, _key, _timestamp, opaque, headers) {
      if (probe.carriers !== undefined) probe.carriers.push(Object.assign({}, ...(headers ?? [])));
      const report = {
        topic: TOPIC,
        partition: 0,
        offset: 42,
        key: KEY_BYTES,
        timestamp: TIMESTAMP,
        size: VALUE.length,
      };
      if (opaque !== undefined) report.opaque = opaque;
      client._cb_configs.event.delivery_cb(null, report);
      return 0;
    },
    setPollInBackground() {},
  };
  return client;
}

/** What both APIs call to connect. */
function connectWithout(Producer) {
  Object.getPrototypeOf(Producer.prototype).connect = function connect() {
    connected(this).emit('ready', { name: 'shop' });
    return this;
  };
}

/** What `run` was given; the loop behind it never starts. */
async function runnerOf(kafka, eachMessage) {
  let given;
  Object.getPrototypeOf(kafka.consumer({ 'group.id': 'other' })).run = async (config) => {
    given = config.eachMessage;
  };
  const consumer = kafka.consumer({ 'group.id': 'mailer', log_level: 0 });
  await consumer.connect();
  await consumer.run({ eachMessage });
  return given;
}

/** What the binding would call with each message. */
function flowOf(consumer, listener) {
  let flow;
  consumer._client = {
    consumeLoop(_timeoutMs, _delayMs, callback) {
      flow = callback;
    },
  };
  consumer.on('data', listener);
  consumer.consume();
  return flow;
}

module.exports = { prepare, open };
