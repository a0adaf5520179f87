/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { createRequire } from 'node:module';

export const CONTESTANTS = ['none', 'hand-written', 'upstream', 'ours'];
export const MODES = ['no-sdk', 'off', 'on', 'metrics'];

export const MODE_TITLES = {
  'no-sdk': 'no SDK registered',
  off: 'sampling off',
  on: 'sampling on',
  metrics: 'sampling on, with metrics',
};

const OPERATIONS = {
  amqp: ['send', 'send-confirmed', 'consume', 'consume-sync', 'consume-ack-first', 'consume-reply', 'get'],
  'amqp-manager': ['publish'],
  kafka: ['send', 'send-10', 'send-100', 'transaction-10', 'consume', 'consume-10', 'consume-100', 'consume-10-index'],
  confluent: bindingIsBuilt() ? ['send', 'produce', 'consume', 'consume-data'] : [],
  sqs: ['send', 'send-10', 'consume', 'consume-10', 'consume-index', 'consume-postpone', 'delete'],
  sns: ['publish', 'publish-10'],
  'sqs-consumer': ['consume'],
  lambda: ['consume-10'],
};

/** What is not measured or not judged, and why; printed with the tables. */
export const REMARKS = [
  'amqp, batches: not measured, AMQP 0-9-1 has no operation on several messages; a publish or a delivery is always one.',
  'amqp, get: upstream makes no span, so that its numbers are not comparable (n/c) and not judged.',
  'amqp-manager: amqp-connection-manager, with confirms; upstream ends its span with the confirm, not with the answer.',
  'sqs, consuming: upstream makes no span per received message, so that its numbers are not comparable (n/c) and not judged.',
  'confluent: upstream has no instrumentation of it; measured only where its binding is built (npm run build:native), on that Node.',
  'sqs-consumer: handleMessage, without the deletion; lambda: an event of ten records, without the export before the answer. Upstream makes no span per message there (n/c).',
  'sqs, consume-index: with the option followIndex; the message is deleted too.',
  'amqp, amqp-manager, sqs and sns, with metrics: upstream records none, so that its numbers there are those of less output and not judged.',
];

/** Patterns in which an instrumentation may keep something of a message, always with sampling on and metrics. */
export const RETENTION_PATTERNS = [
  { client: 'amqp', op: 'consume', title: 'amqp: async handler, acknowledged' },
  { client: 'amqp', op: 'consume-sync', title: 'amqp: sync handler, acknowledged' },
  { client: 'amqp', op: 'retained-unacked', title: 'amqp: async handler, never acknowledged' },
  { client: 'amqp', op: 'send', title: 'amqp: publish' },
  { client: 'amqp', op: 'send-confirmed', title: 'amqp: publish, confirmed' },
  { client: 'amqp', op: 'get', title: 'amqp: get' },
  { client: 'amqp-manager', op: 'publish', title: 'amqp-connection-manager: publish' },
  { client: 'kafka', op: 'consume', title: 'kafka: eachMessage' },
  { client: 'kafka', op: 'consume-10', title: 'kafka: eachBatch of 10' },
  { client: 'kafka', op: 'consume-10-index', title: 'kafka: eachBatch of 10, by index' },
  { client: 'kafka', op: 'transaction-10', title: 'kafka: transaction of 10 sends' },
  { client: 'sqs', op: 'consume-10', title: 'sqs: receive loop, 10 messages' },
  { client: 'sqs', op: 'consume-index', title: 'sqs: Messages[0], deleted' },
  { client: 'sqs', op: 'send', title: 'sqs: send' },
  { client: 'sns', op: 'publish', title: 'sns: publish' },
  { client: 'sqs-consumer', op: 'consume', title: 'sqs-consumer: handleMessage' },
  { client: 'lambda', op: 'consume-10', title: 'lambda: event of 10 records' },
];

/** The cells that the options select: one for each Node, mode, client and operation, in the order in which tables show them. */
export function planCells({ runtimes, clients, operations, modes }) {
  const cells = [];
  for (const runtime of runtimes) {
    for (const mode of MODES.filter((name) => selected(modes, name))) {
      for (const client of Object.keys(OPERATIONS).filter((name) => selected(clients, name))) {
        if (client === 'confluent' && runtime.binary !== process.execPath) continue;
        for (const op of OPERATIONS[client].filter((name) => selected(operations, name))) {
          cells.push({ runtime, mode, client, op });
        }
      }
    }
  }
  return cells;
}

/** Whether an operation takes messages in; the budget against upstream is about these. */
export const isConsuming = (op) => op.startsWith('consume');

const SQS_CONSUMERS = ['sqs', 'sqs-consumer', 'lambda'];

/** Whether upstream's output is near enough to ours that its cost can be compared. */
export function upstreamIsComparable({ client, op, mode }) {
  if (client === 'confluent' || (SQS_CONSUMERS.includes(client) && isConsuming(op))) return false;
  if (client === 'amqp' && op === 'get') return false;
  return mode !== 'metrics' || client === 'kafka';
}

/** A native binding serves one version of Node; whether there is one for this. */
function bindingIsBuilt() {
  try {
    createRequire(import.meta.url)('@confluentinc/kafka-javascript');
    return true;
  } catch {
    return false;
  }
}

const selected = (wanted, name) => wanted === undefined || wanted.includes(name);
