/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const Module = require('node:module');
const path = require('node:path');
const { context } = require('@opentelemetry/api');
const { incomingTraceparents, poolIndex } = require('./incoming.cjs');
const { probe, probeHandler } = require('./probe.cjs');

const TOPIC = 'orders';
const KEY = 'customer-17';
const VALUE = '{"order":4711,"total":12.5}';
const SENT = [
  { topicName: TOPIC, partition: 0, errorCode: 0, baseOffset: '42', logAppendTime: '-1', logStartOffset: '0' },
];
const BATCH_SIZES = [10, 100];
/** Sends of one transaction. */
const TRANSACTION_SIZE = 10;

const runners = [];

/**
 * Three internals of kafkajs are replaced before anything loads it: what a producer's `send` is made of, what a transaction
 * asks of the broker, and the fetch loop. `Kafka`, `producer()`, `consumer()` and `run()` stay kafkajs's own, and no instrumentation patches what is replaced.
 */
function prepare() {
  replaceModule('producer/messageProducer.js', () => ({ send: sendStub, sendBatch: sendStub }));
  replaceModule('producer/eosManager/index.js', transactionStub);
  replaceModule(
    'consumer/runner.js',
    class Runner {
      constructor({ eachMessage, eachBatch }) {
        this.eachMessage = eachMessage;
        this.eachBatch = eachBatch;
        runners.push(this);
      }
      async start() {}
    },
  );
}

async function open({ sampled, ambient, tracing }) {
  const { Kafka } = require('kafkajs');
  const Batch = require(internal('consumer/batch.js'));
  const kafka = new Kafka({ clientId: 'shop', brokers: ['127.0.0.1:9092'], logLevel: 0 });
  const producer = kafka.producer();
  const transactional = kafka.producer({ transactionalId: 'shop', idempotent: true });
  const send = tracing?.send ?? plainSend;
  const eachMessage = await runnerOf(kafka, { eachMessage: tracing?.eachMessage(handle) ?? handle });
  const eachBatch = await runnerOf(kafka, { eachBatch: tracing?.eachBatch(handle) ?? plainEachBatch });
  const byIndex = await runnerOf(kafka, { eachBatch: tracing?.eachBatchByIndex(handle) ?? plainEachBatchByIndex });
  const messages = incomingTraceparents(sampled).map((traceparent) => Buffer.from(traceparent));

  const operations = {
    send: { messages: 1, run: (calls) => context.with(ambient, sendAll, undefined, send, producer, 1, calls) },
    'transaction-10': {
      messages: TRANSACTION_SIZE,
      run: (calls) => context.with(ambient, sendTransactions, undefined, send, transactional, calls),
    },
    'consume-10-index': { messages: 10, run: (calls) => dispatchBatches(byIndex, Batch, messages, 10, calls) },
    consume: { messages: 1, run: (calls) => dispatchMessages(eachMessage, messages, calls) },
  };
  for (const size of BATCH_SIZES) {
    operations[`send-${size}`] = {
      messages: size,
      run: (calls) => context.with(ambient, sendAll, undefined, send, producer, size, calls),
    };
    operations[`consume-${size}`] = {
      messages: size,
      run: (calls) => dispatchBatches(eachBatch, Batch, messages, size, calls),
    };
  }
  return operations;
}

async function runnerOf(kafka, config) {
  await kafka.consumer({ groupId: 'mailer' }).run(config);
  return runners.at(-1);
}

function plainSend(producer, record) {
  return producer.send(record);
}

async function plainEachBatch({ batch, resolveOffset }) {
  for (const message of batch.messages) {
    await handle(message);
    resolveOffset(message.offset);
  }
}

async function plainEachBatchByIndex({ batch: { messages }, resolveOffset }) {
  for (let i = 0; i < messages.length; i++) {
    await handle(messages[i]);
    resolveOffset(messages[i].offset);
  }
}

async function handle() {
  if (probe.activeSpanIds !== undefined) probeHandler();
}

async function sendAll(send, producer, size, calls) {
  for (let i = 0; i < calls; i++) {
    const messages = [];
    for (let j = 0; j < size; j++) messages.push({ key: KEY, value: VALUE });
    await send(producer, { topic: TOPIC, messages });
  }
}

async function sendTransactions(send, producer, calls) {
  for (let i = 0; i < calls; i++) {
    const transaction = await producer.transaction();
    for (let j = 0; j < TRANSACTION_SIZE; j++) {
      await send(transaction, { topic: TOPIC, messages: [{ key: KEY, value: VALUE }] });
    }
    await transaction.commit();
  }
}

async function dispatchMessages(runner, traceparents, calls) {
  for (let i = 0; i < calls; i++) {
    await runner.eachMessage({
      topic: TOPIC,
      partition: 0,
      message: record(i, traceparents[poolIndex(i)]),
      heartbeat,
      pause,
    });
  }
}

async function dispatchBatches(runner, Batch, traceparents, size, calls) {
  for (let i = 0; i < calls; i++) {
    const messages = [];
    for (let j = 0; j < size; j++) messages.push(record(i * size + j, traceparents[poolIndex(i * size + j)]));
    // Not `new Batch`: its constructor parses every offset into a 64-bit number, more work than what is measured here.
    const batch = Object.create(Batch.prototype);
    batch.fetchedOffset = '0';
    batch.topic = TOPIC;
    batch.partition = 0;
    batch.highWatermark = '1000000';
    batch.rawMessages = messages;
    batch.messagesWithinOffset = messages;
    batch.messages = messages;
    await runner.eachBatch({
      batch,
      resolveOffset,
      heartbeat,
      pause,
      commitOffsetsIfNecessary: heartbeat,
      uncommittedOffsets,
      isRunning,
      isStale,
    });
  }
}

const KEY_BYTES = Buffer.from(KEY);
const VALUE_BYTES = Buffer.from(VALUE);
const TIMESTAMP = String(Date.now());
const OFFSETS = Array.from({ length: 1024 }, (_, i) => String(500_000 + i));

/** A record as kafkajs decodes it: header values are buffers, offset and timestamp are decimal text. */
function record(n, traceparent) {
  return {
    magicByte: 2,
    attributes: 0,
    timestamp: TIMESTAMP,
    offset: OFFSETS[poolIndex(n)],
    key: KEY_BYTES,
    value: VALUE_BYTES,
    headers: { traceparent },
    isControlRecord: false,
  };
}

async function heartbeat() {}
function pause() {}
function resolveOffset() {}
function uncommittedOffsets() {
  return { topics: [] };
}
function isRunning() {
  return true;
}
function isStale() {
  return false;
}

async function sendStub({ messages }) {
  if (probe.carriers !== undefined) probe.carriers.push(...messages.map(({ headers }) => headers ?? {}));
  return SENT;
}

function transactionStub() {
  let isOpen = false;
  return {
    isInitialized: () => true,
    isInTransaction: () => isOpen,
    beginTransaction: () => {
      isOpen = true;
    },
    commit: async () => {
      isOpen = false;
    },
  };
}

function internal(file) {
  return path.join(path.dirname(require.resolve('kafkajs')), 'src', file);
}

function replaceModule(file, exports) {
  const filename = internal(file);
  const stub = new Module(filename);
  stub.filename = filename;
  stub.loaded = true;
  stub.exports = exports;
  require.cache[filename] = stub;
}

module.exports = { prepare, open };
