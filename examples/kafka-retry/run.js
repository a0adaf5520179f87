#!/usr/bin/env node
/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// Retry topics, a dead-letter topic and an outbox, traced without tracing code, and verified.
const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { Kafka, logLevel } = require('kafkajs');
const { startBrokers } = require('@otel-messaging/test-utils');
const { printChecks } = require('../lib/checks.js');
const { runServices } = require('../lib/run-services.js');
const { treeOf } = require('../lib/tree.js');
const { paintFor } = require('../order-pipeline/lib/paint.js');
const { deadLettersOf, stepsOf } = require('./lib/topics.js');
const { verify } = require('./lib/verify.js');

const SERVICES = ['shop', 'relay', 'billing', 'dead-letters'].map((name) => ({ name, file: `${name}.js` }));
const PLACES = ['Lisbon', 'Svalbard', 'Atlantis'];
const ORDERS = Array.from({ length: 12 }, (_, i) => ({ id: `R-${i + 1}`, to: PLACES[i % PLACES.length] }));
const SHOWN = { 'messaging.message.retry.count': 'retry', 'messaging.dead_letter.source': 'died in' };

const paint = paintFor(process.stdout);
const isVerbose = process.argv.includes('--verbose');

main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(`${paint.bad('✗')} ${error.message}`);
    process.exit(1);
  },
);

async function main() {
  const brokers = await startBrokers(['kafka'], { log: (text) => console.error(text) });
  try {
    const topic = process.env.KAFKA_BROKERS ? `orders-${process.pid}` : 'orders';
    const { spans, orders } = await run(brokers.env, topic);
    return show(spans, orders, topic);
  } finally {
    await brokers.stop();
  }
}

/** One passage of all orders through the services, and what these say of it. */
async function run(env, topic) {
  const folder = mkdtempSync(join(tmpdir(), 'kafka-retry-'));
  const topics = [...stepsOf(topic).map((step) => step.topic), deadLettersOf(topic)];
  const facts = new Map(ORDERS.map(({ id, to }) => [id, { id, to, outcome: undefined, deliveries: [] }]));
  let finish;
  const finished = new Promise((resolve) => {
    finish = resolve;
  });
  const note = (_service, { order, outcome, ...delivery }) => {
    const fact = facts.get(order);
    if (fact === undefined) return;
    fact.deliveries.push(delivery);
    fact.deliveries.sort((a, b) => topics.indexOf(a.topic) - topics.indexOf(b.topic)); // services print at their own pace
    fact.outcome ??= outcome;
    if ([...facts.values()].every((each) => each.outcome)) finish();
  };

  const admin = new Kafka({ brokers: env.KAFKA_BROKERS.split(','), logLevel: logLevel.ERROR }).admin();
  await admin.connect();
  await admin.createTopics({ topics: topics.map((each) => ({ topic: each, numPartitions: 1 })), waitForLeaders: true });
  try {
    const spans = await runServices({
      services: SERVICES,
      folder: join(__dirname, 'services'),
      env: { ...env, ORDERS_TOPIC: topic, OUTBOX: join(folder, 'outbox.jsonl') },
      onLine: note,
      drive: async ([{ port }]) => {
        await Promise.all(ORDERS.map((order) => place(order, port)));
        await finished;
      },
      verbose: isVerbose,
    });
    return { spans, orders: [...facts.values()] };
  } finally {
    if (process.env.KAFKA_BROKERS) await admin.deleteTopics({ topics });
    await admin.disconnect();
    rmSync(folder, { recursive: true });
  }
}

async function place(order, port) {
  const response = await fetch(`http://127.0.0.1:${port}/orders`, { method: 'POST', body: JSON.stringify(order) });
  await response.arrayBuffer();
  if (response.status !== 202) throw new Error(`the shop refused ${order.id}: ${response.status}`);
}

/** Prints the traces of an order of each kind, the relay's, and the verification; the exit code. */
function show(spans, orders, topic) {
  for (const to of PLACES) {
    const order = orders.find((each) => each.to === to);
    console.log(paint.bold(`${order.id}, to ${to}: ${order.outcome} after ${attemptsOf(order)}`));
    console.log(`${treeOf(traceOf(order, spans), SHOWN, spans)}\n`);
  }
  console.log(paint.bold('the relay'));
  const ofRelay = spans.filter(({ service }) => service === 'relay');
  console.log(`${treeOf(ofRelay, SHOWN, spans)}\n`);
  return printChecks(verify(spans, orders, topic), paint) ? 0 : 1;
}

function attemptsOf({ outcome, deliveries }) {
  const count = deliveries.length - (outcome === 'given up' ? 1 : 0);
  return `${count} attempt${count === 1 ? '' : 's'}`;
}

function traceOf({ deliveries }, spans) {
  const { topic, partition, offset } = deliveries[0];
  const first = spans.find(
    ({ attributes, kind }) =>
      kind === 'CONSUMER' &&
      attributes['messaging.destination.name'] === topic &&
      attributes['messaging.destination.partition.id'] === String(partition) &&
      attributes['kafka.offset'] === Number(offset),
  );
  return spans.filter(({ traceId }) => traceId === first?.traceId);
}
