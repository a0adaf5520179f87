/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { createRequire } = require('node:module');
const { context, ROOT_CONTEXT } = require('@opentelemetry/api');
const { incomingTraceparents, poolIndex } = require('./incoming.cjs');
const { probe, probeHandler } = require('./probe.cjs');

const QUEUE_URL = 'http://127.0.0.1:9324/000000000000/orders';
const BODY = '{"order":4711,"total":12.5}';
const BATCH = 10;

/** Nothing to stub before the instrumentations: see `withoutMiddleware`. */
function prepare() {}

async function open({ sampled, ambient, tracing }) {
  const sqs = require('@aws-sdk/client-sqs');
  const client = newClient(sqs, sampled);
  const app = tracing?.application(sqs, handle) ?? plainApplication(sqs);

  return {
    send: { messages: 1, run: (calls) => context.with(ambient, sendOneByOne, undefined, app, client, calls) },
    'send-10': { messages: BATCH, run: (calls) => context.with(ambient, sendBatches, undefined, app, client, calls) },
    consume: { messages: 1, run: (calls) => context.with(ROOT_CONTEXT, poll, undefined, app, client, 1, calls) },
    'consume-10': {
      messages: BATCH,
      run: (calls) => context.with(ROOT_CONTEXT, poll, undefined, app, client, BATCH, calls),
    },
    'consume-index': {
      messages: 1,
      run: (calls) => context.with(ROOT_CONTEXT, pollByIndex, undefined, app, client, calls),
    },
    'consume-postpone': {
      messages: 1,
      run: (calls) => context.with(ROOT_CONTEXT, pollAndPostpone, undefined, app, client, calls),
    },
    delete: { messages: 1, run: (calls) => context.with(ambient, deleteAll, undefined, app, client, calls) },
  };
}

function newClient(sqs, sampled) {
  const client = new sqs.SQSClient({
    region: 'us-east-1',
    endpoint: 'http://127.0.0.1:9324',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    // A client's own option: resolve the middleware once per command class. Without it every send builds its whole stack anew.
    cacheMiddleware: true,
  });
  return withoutMiddleware(sqs, client, incomingTraceparents(sampled));
}

function plainApplication({
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
}) {
  return {
    send: (client, input) => client.send(new SendMessageCommand(input)),
    sendBatch: (client, input) => client.send(new SendMessageBatchCommand(input)),
    remove: (client, input) => client.send(new DeleteMessageCommand(input)),
    async receive(client, input) {
      const { Messages } = await client.send(new ReceiveMessageCommand(input));
      for (const message of Messages) await handle(message);
    },
    async receiveByIndex(client, input) {
      const { Messages } = await client.send(new ReceiveMessageCommand(input));
      const message = Messages[0];
      await handle(message);
      const { ReceiptHandle } = message;
      await client.send(new DeleteMessageCommand({ QueueUrl: QUEUE_URL, ReceiptHandle }));
    },
    async receiveAndPostpone(client, input) {
      const { Messages } = await client.send(new ReceiveMessageCommand(input));
      for (const message of Messages) {
        await handle(message);
        const { ReceiptHandle } = message;
        await client.send(
          new ChangeMessageVisibilityCommand({ QueueUrl: QUEUE_URL, ReceiptHandle, VisibilityTimeout: 0 }),
        );
      }
    },
  };
}

async function handle() {
  if (probe.activeSpanIds !== undefined) probeHandler();
}

async function sendOneByOne(app, client, calls) {
  for (let i = 0; i < calls; i++) await app.send(client, { QueueUrl: QUEUE_URL, MessageBody: BODY });
}

async function sendBatches(app, client, calls) {
  for (let i = 0; i < calls; i++) {
    const Entries = [];
    for (let j = 0; j < BATCH; j++) Entries.push({ Id: IDS[j], MessageBody: BODY });
    await app.sendBatch(client, { QueueUrl: QUEUE_URL, Entries });
  }
}

async function poll(app, client, maximum, calls) {
  for (let i = 0; i < calls; i++) {
    await app.receive(client, { QueueUrl: QUEUE_URL, MaxNumberOfMessages: maximum, WaitTimeSeconds: 20 });
  }
}

async function pollByIndex(app, client, calls) {
  for (let i = 0; i < calls; i++) await app.receiveByIndex(client, pollOfOne());
}

async function pollAndPostpone(app, client, calls) {
  for (let i = 0; i < calls; i++) await app.receiveAndPostpone(client, pollOfOne());
}

function pollOfOne() {
  return { QueueUrl: QUEUE_URL, MaxNumberOfMessages: 1, WaitTimeSeconds: 20 };
}

async function deleteAll(app, client, calls) {
  for (let i = 0; i < calls; i++) await app.remove(client, { QueueUrl: QUEUE_URL, ReceiptHandle: 'receipt-4711' });
}

/**
 * The client without what the AWS SDK does for a request (endpoint, serialisation, signing, retries, HTTP).
 * What stays is real: `SQSClient`, its inherited `send`, the middleware stack and its `resolve`, the commands. So every door that
 * any instrumentation patches is there, and behind the last one is a function that answers with canned output.
 */
function withoutMiddleware(sqs, client, traceparents) {
  client.middlewareStack = createRequire(require.resolve('@aws-sdk/client-sqs'))(
    '@smithy/core/client',
  ).constructStack();
  let received = 0;
  const answers = {
    SendMessageCommand: ({ input }) => {
      if (probe.carriers !== undefined) probe.carriers.push(input.MessageAttributes ?? {});
      return withChecksums({ $metadata: METADATA, MD5OfMessageBody: MD5, MessageId: MESSAGE_ID }, input);
    },
    SendMessageBatchCommand: ({ input }) => {
      const entries = input.Entries;
      if (probe.carriers !== undefined) probe.carriers.push(...entries.map((entry) => entry.MessageAttributes ?? {}));
      const Successful = [];
      for (let i = 0; i < entries.length; i++) {
        Successful.push(withChecksums({ Id: entries[i].Id, MessageId: MESSAGE_ID, MD5OfMessageBody: MD5 }, entries[i]));
      }
      return { $metadata: METADATA, Successful };
    },
    ReceiveMessageCommand: ({ input }) => {
      const Messages = [];
      for (let i = 0; i < input.MaxNumberOfMessages; i++) Messages.push(message(traceparents[poolIndex(received++)]));
      return { $metadata: METADATA, Messages };
    },
    DeleteMessageCommand: () => ({ $metadata: METADATA }),
    ChangeMessageVisibilityCommand: () => ({ $metadata: METADATA }),
  };
  for (const [commandName, answer] of Object.entries(answers)) {
    const executionContext = { clientName: 'SQSClient', commandName, logger: undefined };
    const terminal = async (command) => ({ response: undefined, output: answer(command) });
    sqs[commandName].prototype.resolveMiddleware = (clientStack) => clientStack.resolve(terminal, executionContext);
  }
  return client;
}

const METADATA = {
  httpStatusCode: 200,
  requestId: '6ef1bf2f-3c5f-5a0d-8a5e-e1f5a8a5e1f5',
  attempts: 1,
  totalRetryDelay: 0,
};
const MESSAGE_ID = '219f8380-5770-4cc2-8c3e-5c715e145f5e';
const MD5 = 'fafb00f5732ab283681e124bf8747ed1';
const SENT_TIMESTAMP = String(Date.now());
const IDS = Array.from({ length: BATCH }, (_, i) => String(i));

/** The service answers with a checksum of each kind of attributes that it was sent. */
function withChecksums(answer, { MessageAttributes, MessageSystemAttributes }) {
  if (MessageAttributes !== undefined) answer.MD5OfMessageAttributes = MD5;
  if (MessageSystemAttributes !== undefined) answer.MD5OfMessageSystemAttributes = MD5;
  return answer;
}

/** A message as the service returns it when its attributes, send time and receive count were asked for. */
function message(traceparent) {
  return {
    MessageId: MESSAGE_ID,
    ReceiptHandle: 'receipt-4711',
    MD5OfBody: MD5,
    Body: BODY,
    Attributes: { SentTimestamp: SENT_TIMESTAMP, ApproximateReceiveCount: '1' },
    MD5OfMessageAttributes: MD5,
    MessageAttributes: { traceparent: { StringValue: traceparent, DataType: 'String' } },
  };
}

module.exports = { prepare, open, newClient, handle, QUEUE_URL };
