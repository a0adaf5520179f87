/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// The SQS operations in which the engine differs from Amazon; the others go to it as they are.

import { setTimeout as sleep } from 'node:timers/promises';
import { attributesMd5, requested } from './attributes.mjs';
import { engine, waitingIn } from './engine.mjs';
import { checkMessage, Fault, invalid, tooManyAttributes } from './rules.mjs';

const POLL_MS = 15;
const HANDLES_KEPT = 100_000;

/** Message id → what the engine forgets about it: the queue it was sent to, receives so far, trace header, group. */
const messages = new Map();
/** Receipt handle → message id. Deleting twice is no error, so handles of deleted messages stay. */
const handles = new Map();

export const operations = {
  async SendMessage(input, headers) {
    checkMessage(input);
    return sent(await engine('SendMessage', input, headers), input, input.QueueUrl, headers);
  },

  async SendMessageBatch(input, headers) {
    const output = await batch('SendMessageBatch', input, headers, checkMessage);
    for (const answer of output.Successful) sent(answer, entry(input, answer.Id), input.QueueUrl, headers);
    return output;
  },

  async ReceiveMessage(input, headers, hungUp) {
    for (const field of ['AttributeNames', 'MessageSystemAttributeNames', 'MessageAttributeNames']) {
      if (!Array.isArray(input[field] ?? [])) throw new Fault('SerializationException', `${field} is no list`);
    }
    const end = Date.now() + (await waitSeconds(input, headers)) * 1000;
    // Polls, so that a receiver that hung up takes no message with it.
    while (!hungUp()) {
      const Messages = await receiveNow(input, headers);
      if (Messages.length) return { Messages };
      if (Date.now() >= end) break;
      await sleep(POLL_MS);
    }
    return {};
  },

  async DeleteMessage(input, headers) {
    checkHandle(input);
    messages.delete(handles.get(input.ReceiptHandle));
    return engine('DeleteMessage', input, headers);
  },

  async DeleteMessageBatch(input, headers) {
    const output = await batch('DeleteMessageBatch', input, headers, checkHandle);
    for (const { Id } of output.Successful) messages.delete(handles.get(entry(input, Id).ReceiptHandle));
    return output;
  },
};

/** SNS hands the X-Ray header of a publish on to the queues that are subscribed. One publish at a time: the engine tells no more. */
export function published(publish, topicArn, headers) {
  const answered = publishing.then(async () => {
    const answer = await publish();
    for (const { queue, id } of await waitingIn(topicArn, headers)) {
      if (!messages.has(id)) remember(id, queue).trace = headers['x-amzn-trace-id'];
    }
    return answer;
  });
  publishing = answered.catch(() => {});
  return answered;
}

let publishing = Promise.resolve();

const entry = (input, id) => input.Entries.find(({ Id }) => Id === id);

/** Lets `check` decide entry by entry; the engine sees only the good ones, or all of a batch that is bad as a whole. */
async function batch(operation, input, headers, check) {
  const entries = Array.isArray(input.Entries) ? input.Entries : [];
  const ids = new Set(entries.map(({ Id }) => Id));
  if (entries.length === 0 || entries.length > 10 || ids.size < entries.length) {
    return engine(operation, input, headers);
  }
  const good = [];
  const Failed = [];
  for (const one of entries) {
    try {
      check(one);
      good.push(one);
    } catch (fault) {
      Failed.push({ Id: one.Id, Code: fault.code, Message: fault.message, SenderFault: true });
    }
  }
  const output = good.length ? await engine(operation, { ...input, Entries: good }, headers) : {};
  return { Successful: output.Successful ?? [], Failed: [...(output.Failed ?? []), ...Failed] };
}

function sent(answer, message, queueUrl, headers) {
  const system = message.MessageSystemAttributes;
  const memory = remember(answer.MessageId, queueName(queueUrl));
  // Not what a publish at the same moment took it for; a duplicate keeps what the first one had.
  if (!memory.isSent) memory.trace = system?.AWSTraceHeader?.StringValue ?? headers['x-amzn-trace-id'];
  memory.isSent = true;
  memory.group ??= message.MessageGroupId;
  if (system && Object.keys(system).length > 0) answer.MD5OfMessageSystemAttributes = attributesMd5(system);
  return answer;
}

async function waitSeconds(input, headers) {
  if (input.WaitTimeSeconds === undefined) {
    const queue = await engine('GetQueueAttributes', { QueueUrl: input.QueueUrl, AttributeNames: ['All'] }, headers);
    return Number(queue.Attributes?.ReceiveMessageWaitTimeSeconds ?? 0);
  }
  if (!(input.WaitTimeSeconds >= 0 && input.WaitTimeSeconds <= 20)) {
    invalid('WaitTimeSeconds must be between 0 and 20.');
  }
  return input.WaitTimeSeconds;
}

async function receiveNow(input, headers) {
  const everything = {
    ...input,
    WaitTimeSeconds: 0,
    AttributeNames: undefined,
    MessageSystemAttributeNames: ['All'],
    MessageAttributeNames: ['All'],
  };
  const output = await engine('ReceiveMessage', everything, headers);
  const received = [];
  for (const message of output.Messages ?? []) {
    if (tooManyAttributes(message.MessageAttributes)) {
      // Raw delivery from SNS: Amazon discards these.
      await engine('DeleteMessage', { QueueUrl: input.QueueUrl, ReceiptHandle: message.ReceiptHandle }, headers);
    } else {
      received.push(asRequested(message, input, headers));
    }
  }
  return received;
}

function asRequested(message, input, headers) {
  const queue = queueName(input.QueueUrl);
  const memory = remember(message.MessageId, queue);
  memory.receives += 1;
  rememberHandle(message);
  const system = { ...message.Attributes, ApproximateReceiveCount: String(memory.receives) }; // across all queues
  if (memory.group) system.MessageGroupId = memory.group;
  if (memory.trace) system.AWSTraceHeader = memory.trace;
  if (memory.queue !== queue) system.DeadLetterQueueSourceArn = arn(headers, memory.queue);
  const systemNames = [...(input.AttributeNames ?? []), ...(input.MessageSystemAttributeNames ?? [])];
  const Attributes = requested(
    system,
    systemNames.filter((name) => !name.includes('*')),
  );
  const MessageAttributes = requested(message.MessageAttributes, input.MessageAttributeNames);
  const { Attributes: _, MessageAttributes: __, MD5OfMessageAttributes: ___, ...rest } = message;
  return {
    ...rest,
    ...(Object.keys(Attributes).length && { Attributes }),
    ...(Object.keys(MessageAttributes).length && {
      MessageAttributes,
      MD5OfMessageAttributes: attributesMd5(MessageAttributes),
    }),
  };
}

const queueName = (url) => String(url).split('/').pop();

function remember(id, queue) {
  if (!messages.has(id)) messages.set(id, { queue, receives: 0 });
  return messages.get(id);
}

function rememberHandle({ ReceiptHandle, MessageId }) {
  handles.set(ReceiptHandle, MessageId);
  if (handles.size > HANDLES_KEPT) handles.delete(handles.keys().next().value);
}

function checkHandle({ ReceiptHandle }) {
  if (!handles.has(ReceiptHandle)) throw new Fault('ReceiptHandleIsInvalid', 'The input receipt handle is invalid.');
}

function arn(headers, queue) {
  const region = /\/\d{8}\/([\w-]+)\//.exec(headers.authorization ?? '')?.[1] ?? 'us-east-1';
  return `arn:aws:sqs:${region}:000000000000:${queue}`;
}
