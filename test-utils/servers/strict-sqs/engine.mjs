/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// fauxqs as the engine, called without a port of its own.

import { register } from 'node:module';
import { Fault } from './rules.mjs';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 5)) {
  // fauxqs imports node:sqlite, which this Node lacks, for a persistence that is not used here.
  const standIn = 'data:text/javascript,export class DatabaseSync {}';
  const hook = `export const resolve = (name, context, next) =>
    name === 'node:sqlite' ? { url: '${standIn}', shortCircuit: true } : next(name, context);`;
  register(`data:text/javascript,${encodeURIComponent(hook)}`);
}
const { buildApp } = await import('fauxqs');
const app = buildApp({ logger: false });

export const ready = () => app.ready();

/** The engine's answer to an SQS operation; throws a `Fault` with the code of its error. */
export async function engine(operation, input, headers) {
  const response = await app.inject({
    method: 'POST',
    url: '/',
    payload: JSON.stringify(input),
    headers: {
      host: headers.host,
      authorization: headers.authorization ?? '',
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AmazonSQS.${operation}`,
    },
  });
  const body = response.payload ? JSON.parse(response.payload) : {};
  if (response.statusCode !== 200) {
    const code = String(response.headers['x-amzn-query-error'] ?? body.__type);
    throw new Fault(code.split(';')[0].split('#').pop(), body.message);
  }
  // The engine says sqs.<region>.localhost, which not every resolver knows.
  const here = (url) => url.replace(/^http:\/\/[^/]+/, `http://${headers.host}`);
  if (body.QueueUrl) body.QueueUrl = here(body.QueueUrl);
  if (body.QueueUrls) body.QueueUrls = body.QueueUrls.map(here);
  return body;
}

/** The engine's answer to a request that is not for SQS. */
export const forward = ({ method, url, headers }, body) =>
  app.inject({ method, url, headers, payload: body || undefined });

/** Ids of the messages that nobody has received, in the queues that are subscribed to a topic. */
export async function waitingIn(topicArn, headers) {
  const listing = new URLSearchParams({
    Action: 'ListSubscriptionsByTopic',
    Version: '2010-03-31',
    TopicArn: topicArn,
  });
  const { host, authorization = '' } = headers;
  const form = { host, authorization, 'content-type': 'application/x-www-form-urlencoded' };
  const { payload } = await app.inject({ method: 'POST', url: '/', headers: form, payload: String(listing) });
  const found = [];
  for (const [, queue] of payload.matchAll(/<Endpoint>[^<]*:([^<:]+)<\/Endpoint>/g)) {
    const answer = await app.inject({ method: 'GET', url: `/_fauxqs/queues/${queue}` });
    const { messages } = answer.statusCode === 200 ? JSON.parse(answer.payload) : {};
    for (const { messageId: id } of messages?.ready ?? []) found.push({ queue, id });
  }
  return found;
}
