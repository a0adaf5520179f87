#!/usr/bin/env node
/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// Retries by a queue in which messages expire, and a dead-letter queue; traced without tracing code, and verified.
const { join } = require('node:path');
const amqp = require('amqplib');
const { startBrokers } = require('@otel-messaging/test-utils');
const { printChecks } = require('../lib/checks.js');
const { runServices } = require('../lib/run-services.js');
const { treeOf } = require('../lib/tree.js');
const { paintFor } = require('../order-pipeline/lib/paint.js');
const { createQueues, queueNames } = require('./lib/queues.js');
const { verify } = require('./lib/verify.js');

const SERVICES = ['shop', 'billing', 'dead-letters'].map((name) => ({ name, file: `${name}.js` }));
const PLACES = ['Lisbon', 'Svalbard', 'Atlantis'];
const ORDERS = Array.from({ length: 12 }, (_, i) => ({ id: `R-${i + 1}`, to: PLACES[i % PLACES.length] }));
const SHOWN = {
  'messaging.message.retry.count': 'retry',
  'messaging.message.settlement': 'settled',
  'messaging.dead_letter.source': 'died in',
  'messaging.dead_letter.reason': 'cause',
};

const paint = paintFor(process.stdout);

main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(`${paint.bad('✗')} ${error.message}`);
    process.exit(1);
  },
);

async function main() {
  const brokers = await startBrokers(['rabbitmq'], { log: (text) => console.error(text) });
  // A broker that somebody else also uses gets names of our own; the queues expire by themselves.
  const names = queueNames(process.env.RABBITMQ_URL ? `retry-${process.pid}-` : '');
  try {
    const { spans, orders } = await run(brokers.env, names);
    return show(spans, orders, names);
  } finally {
    await brokers.stop();
  }
}

/** One passage of all orders through the services, and what these say of it. */
async function run(env, names) {
  const connection = await amqp.connect(env.RABBITMQ_URL);
  await createQueues(await connection.createChannel(), names);
  await connection.close();

  const facts = new Map(ORDERS.map(({ id, to }) => [id, { id, to, outcome: undefined, deliveries: [] }]));
  let finish;
  const finished = new Promise((resolve) => {
    finish = resolve;
  });
  const note = (_service, { order, queue, outcome }) => {
    const fact = facts.get(order);
    if (fact === undefined) return;
    fact.deliveries.push(queue);
    // Services print at their own pace: the dead letters may be heard of first.
    fact.deliveries.sort((a, b) => Number(a === names.DEAD_LETTER_QUEUE) - Number(b === names.DEAD_LETTER_QUEUE));
    fact.outcome ??= outcome;
    const isHeard = ({ to, deliveries }) => to !== 'Atlantis' || deliveries.length === 4;
    if ([...facts.values()].every((each) => each.outcome !== undefined && isHeard(each))) finish();
  };
  const spans = await runServices({
    services: SERVICES,
    folder: join(__dirname, 'services'),
    env: { ...env, ...names },
    onLine: note,
    drive: async ([{ port }]) => {
      await Promise.all(ORDERS.map((order) => place(order, port)));
      await finished;
    },
    verbose: process.argv.includes('--verbose'),
  });
  return { spans, orders: [...facts.values()] };
}

async function place(order, port) {
  const response = await fetch(`http://127.0.0.1:${port}/orders`, { method: 'POST', body: JSON.stringify(order) });
  await response.arrayBuffer();
  if (response.status !== 202) throw new Error(`the shop refused ${order.id}: ${response.status}`);
}

/** Prints the trace of an order of each kind, and the verification; the exit code. */
function show(spans, orders, names) {
  for (const to of PLACES) {
    const { id, outcome } = orders.find((each) => each.to === to);
    const own = spans.find(({ attributes }) => attributes['messaging.message.id'] === id);
    console.log(paint.bold(`${id}, to ${to}: ${outcome}`));
    console.log(
      `${treeOf(
        spans.filter(({ traceId }) => traceId === own?.traceId),
        SHOWN,
      )}\n`,
    );
  }
  return printChecks(verify(spans, orders, names), paint) ? 0 : 1;
}
