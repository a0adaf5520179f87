/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { createRequire } = require('node:module');
const { context } = require('@opentelemetry/api');
const { probe } = require('./probe.cjs');

const TOPIC_ARN = 'arn:aws:sns:us-east-1:000000000000:orders';
const BODY = '{"order":4711,"total":12.5}';
const BATCH = 10;

/** Nothing to stub before the instrumentations: see `withoutMiddleware`. */
function prepare() {}

async function open({ ambient, tracing }) {
  const sns = require('@aws-sdk/client-sns');
  const client = withoutMiddleware(
    sns,
    new sns.SNSClient({
      region: 'us-east-1',
      endpoint: 'http://127.0.0.1:9324',
      credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
      cacheMiddleware: true,
    }),
  );
  const app = tracing?.application(sns) ?? plainApplication(sns);
  return {
    publish: { messages: 1, run: (calls) => context.with(ambient, publishOneByOne, undefined, app, client, calls) },
    'publish-10': {
      messages: BATCH,
      run: (calls) => context.with(ambient, publishBatches, undefined, app, client, calls),
    },
  };
}

function plainApplication({ PublishBatchCommand, PublishCommand }) {
  return {
    publish: (client, input) => client.send(new PublishCommand(input)),
    publishBatch: (client, input) => client.send(new PublishBatchCommand(input)),
  };
}

async function publishOneByOne(app, client, calls) {
  for (let i = 0; i < calls; i++) await app.publish(client, { TopicArn: TOPIC_ARN, Message: BODY });
}

async function publishBatches(app, client, calls) {
  for (let i = 0; i < calls; i++) {
    const PublishBatchRequestEntries = [];
    for (let j = 0; j < BATCH; j++) PublishBatchRequestEntries.push({ Id: IDS[j], Message: BODY });
    await app.publishBatch(client, { TopicArn: TOPIC_ARN, PublishBatchRequestEntries });
  }
}

/** As for SQS: the client, its inherited `send`, the stack and the commands are real; behind the stack is canned output. */
function withoutMiddleware(sns, client) {
  client.middlewareStack = createRequire(require.resolve('@aws-sdk/client-sns'))(
    '@smithy/core/client',
  ).constructStack();
  const answers = {
    PublishCommand: ({ input }) => {
      if (probe.carriers !== undefined) probe.carriers.push(input.MessageAttributes ?? {});
      return { $metadata: METADATA, MessageId: MESSAGE_ID };
    },
    PublishBatchCommand: ({ input }) => {
      const entries = input.PublishBatchRequestEntries;
      if (probe.carriers !== undefined) probe.carriers.push(...entries.map((entry) => entry.MessageAttributes ?? {}));
      const Successful = [];
      for (let i = 0; i < entries.length; i++) Successful.push({ Id: entries[i].Id, MessageId: MESSAGE_ID });
      return { $metadata: METADATA, Successful };
    },
  };
  for (const [commandName, answer] of Object.entries(answers)) {
    const executionContext = { clientName: 'SNSClient', commandName, logger: undefined };
    const terminal = async (command) => ({ response: undefined, output: answer(command) });
    sns[commandName].prototype.resolveMiddleware = (clientStack) => clientStack.resolve(terminal, executionContext);
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
const IDS = Array.from({ length: BATCH }, (_, i) => String(i));

module.exports = { prepare, open };
