/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// SQS (AWS JSON and AWS Query) and SNS on a free port of 127.0.0.1: fauxqs as the queue engine, behind the rules of
// Amazon that it does not enforce. Prints {"port":N} when it is ready.

import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { engine, forward, ready } from './strict-sqs/engine.mjs';
import { operations, published } from './strict-sqs/operations.mjs';
import { fromQuery, parseQuery, toXml, xmlError } from './strict-sqs/query-protocol.mjs';
import { Fault } from './strict-sqs/rules.mjs';

const JSON_TYPE = 'application/x-amz-json-1.0';
const SQS_QUERY_VERSION = '2012-11-05';

const server = http.createServer((request, response) => {
  answer(request, response).catch((error) => response.destroy(error)); // the client hung up
});
server.keepAliveTimeout = 30_000;
await ready();
server.listen(Number(process.env.SQS_PORT ?? 0), '127.0.0.1', () => {
  console.log(JSON.stringify({ port: server.address().port }));
});

async function answer(request, response) {
  const { headers } = request;
  const body = await text(request);
  const target = headers['x-amz-target'];
  const jsonOperation = /^AmazonSQS\.(\w+)$/.exec(target ?? '')?.[1];
  if (jsonOperation) return answerJson(jsonOperation, body, headers, response);
  const isForm = !target && /x-www-form-urlencoded/.test(headers['content-type'] ?? '');
  const query = isForm ? parseQuery(body) : undefined;
  if (query?.Version === SQS_QUERY_VERSION) return answerQuery(query, headers, response);
  const call = () => forward(request, body); // SNS and the engine's other services
  const { Action: action, TopicArn: topicArn } = isForm ? query : {};
  const isPublish = topicArn && (action === 'Publish' || action === 'PublishBatch');
  const other = isPublish ? await published(call, topicArn, headers) : await call();
  response.writeHead(other.statusCode, {
    'content-type': other.headers['content-type'] ?? 'text/xml',
    'x-amzn-requestid': randomUUID(),
  });
  response.end(other.rawPayload);
}

async function answerJson(operation, body, headers, response) {
  try {
    const output = await run(operation, JSON.parse(body || '{}'), headers, response);
    response.writeHead(200, { 'content-type': JSON_TYPE, 'x-amzn-requestid': randomUUID() });
    response.end(JSON.stringify(output));
  } catch (error) {
    const { code, status } = fault(error);
    const type = code.endsWith('NonExistentQueue') ? 'QueueDoesNotExist' : code.split('.').pop();
    response.writeHead(status, { 'content-type': JSON_TYPE, 'x-amzn-query-error': `${code};Sender` });
    response.end(JSON.stringify({ __type: `com.amazonaws.sqs#${type}`, message: error.message }));
  }
}

async function answerQuery(query, headers, response) {
  try {
    const output = await run(query.Action, fromQuery(query), headers, response);
    response.writeHead(200, { 'content-type': 'text/xml', 'x-amzn-requestid': randomUUID() });
    response.end(toXml(query.Action, output));
  } catch (error) {
    const { code, status } = fault(error);
    response.writeHead(status, { 'content-type': 'text/xml' }).end(xmlError(code, error.message));
  }
}

function run(operation, input, headers, response) {
  const hungUp = () => response.destroyed && !response.writableFinished;
  if (Object.hasOwn(operations, operation)) return operations[operation](input, headers, hungUp);
  return engine(operation, input, headers);
}

const fault = (error) =>
  error instanceof Fault ? { code: error.code, status: 400 } : { code: 'InternalError', status: 500 };

async function text(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
