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
const { paintFor } = require('../order-pipeline/lib/paint.js');
const { startReceiver } = require('../order-pipeline/lib/receiver.js');
const { startServices } = require('../order-pipeline/lib/services.js');
const { deadLettersOf, stepsOf } = require('./lib/topics.js');
const { treeOf } = require('./lib/tree.js');
const { verify } = require('./lib/verify.js');

const SERVICES = ['shop', 'relay', 'billing', 'dead-letters'].map((name) => ({ name, file: `${name}.js` }));
const PLACES = ['Lisbon', 'Svalbard', 'Atlantis'];
const ORDERS = Array.from({ length: 12 }, (_, i) => ({ id: `R-${i + 1}`, to: PLACES[i % PLACES.length] }));
const TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 8_000;

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
  const receiver = await startReceiver();
  try {
    const topic = process.env.KAFKA_BROKERS ? `orders-${process.pid}` : 'orders';
    const { spans, orders } = await run(brokers.env, topic, receiver);
    return show(spans, orders, topic);
  } finally {
    await receiver.stop();
    await brokers.stop();
  }
}

/** One passage of all orders through the services, and what these say of it. */
async function run(env, topic, receiver) {
  const folder = mkdtempSync(join(tmpdir(), 'kafka-retry-'));
  const topics = [...stepsOf(topic).map((step) => step.topic), deadLettersOf(topic)];
  const facts = new Map(ORDERS.map(({ id, to }) => [id, { id, to, outcome: undefined, deliveries: [] }]));
  let finish;
  let crash;
  const finished = new Promise((resolve, reject) => {
    finish = resolve;
    crash = reject;
  });
  finished.catch(() => {}); // raced below
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
  const services = startServices({
    pipeline: SERVICES,
    folder: join(__dirname, 'services'),
    preload: require.resolve('@otel-messaging/auto/register'),
    env: serviceEnvironment({ ...env, ORDERS_TOPIC: topic, OUTBOX: join(folder, 'outbox.jsonl') }, receiver.endpoint),
    onLine: note,
    onCrash: crash,
    verbose: isVerbose,
  });
  const late = setTimeout(() => crash(new Error('not every order came to an end')), TIMEOUT_MS);
  try {
    const [{ port }] = await Promise.race([services.ready, finished]);
    await Promise.all(ORDERS.map((order) => place(order, port)));
    await finished;
  } finally {
    clearTimeout(late);
    const { complaints } = await services.stop(STOP_TIMEOUT_MS);
    for (const { name, text } of complaints) console.error(`${name} wrote to stderr: ${text}`);
    if (process.env.KAFKA_BROKERS) await admin.deleteTopics({ topics });
    await admin.disconnect();
    rmSync(folder, { recursive: true });
  }
  return { spans: receiver.take(), orders: [...facts.values()] };
}

/** The person's environment without other settings of OpenTelemetry and Node.js, so that every run is the same. */
function serviceEnvironment(own, endpoint) {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('OTEL_') && name !== 'NODE_OPTIONS',
  );
  return {
    ...Object.fromEntries(inherited),
    ...own,
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    OTEL_BSP_SCHEDULE_DELAY: '200',
  };
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
    console.log(`${treeOf(traceOf(order, spans), spans)}\n`);
  }
  console.log(paint.bold('the relay'));
  console.log(
    `${treeOf(
      spans.filter(({ service }) => service === 'relay'),
      spans,
    )}\n`,
  );

  const checks = verify(spans, orders, topic);
  for (const { name, problems } of checks) {
    console.log(problems.length === 0 ? `${paint.good('✓')} ${name}` : `${paint.bad('✗')} ${name}`);
    for (const problem of problems.slice(0, 5)) console.log(`    ${problem}`);
  }
  return checks.every(({ problems }) => problems.length === 0) ? 0 : 1;
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
