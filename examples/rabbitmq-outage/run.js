#!/usr/bin/env node
/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// Orders are taken while the broker cannot be reached; traced without tracing code, and verified.
const { join } = require('node:path');
const { startBrokers, startLine } = require('@otel-messaging/test-utils');
const { printChecks } = require('../lib/checks.js');
const { runServices } = require('../lib/run-services.js');
const { treeOf } = require('../lib/tree.js');
const { paintFor } = require('../order-pipeline/lib/paint.js');
const { verify } = require('./lib/verify.js');

const SERVICES = ['shop', 'mailer'].map((name) => ({ name, file: `${name}.js` }));
const OUTAGE_MS = 1_000;

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
  const line = await startLine(brokers.env.RABBITMQ_URL);
  try {
    return show(await run(line));
  } finally {
    await line.close();
    await brokers.stop();
  }
}

/** Three orders before the outage and three within; what is recorded of them. */
async function run(line) {
  // A broker that somebody else also uses gets a name of our own; the queue expires by itself.
  const env = { RABBITMQ_URL: line.url, ORDERS_QUEUE: process.env.RABBITMQ_URL ? `outage-${process.pid}` : 'orders' };
  const orders = [];
  const mailed = new Set();
  let heard = () => {};
  const until = (condition) =>
    new Promise((resolve) => {
      heard = () => condition() && resolve();
      heard();
    });
  let isDisconnected = false;
  const spans = await runServices({
    services: SERVICES,
    folder: join(__dirname, 'services'),
    env,
    onLine: (_service, line) => {
      if (line.mailed !== undefined) mailed.add(line.mailed);
      if (line.disconnected) isDisconnected = true;
      heard();
    },
    drive: async ([{ port }]) => {
      for (const id of ['O-1', 'O-2', 'O-3']) orders.push({ id: await place(id, port), waitedMs: 0 });
      await until(() => mailed.size === 3);
      line.cut();
      await until(() => isDisconnected);
      for (const id of ['O-4', 'O-5', 'O-6']) orders.push({ id: await place(id, port), waitedMs: OUTAGE_MS });
      await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS));
      line.mend();
      await until(() => mailed.size === 6);
    },
    verbose: process.argv.includes('--verbose'),
  });
  return { spans, orders };
}

async function place(id, port) {
  const response = await fetch(`http://127.0.0.1:${port}/orders/${id}`, { method: 'POST' });
  await response.arrayBuffer();
  if (response.status !== 202) throw new Error(`the shop refused ${id}: ${response.status}`);
  return id;
}

/** Prints the trace of an order of each kind, and the verification; the exit code. */
function show({ spans, orders }) {
  for (const [id, when] of [
    ['O-1', 'before the outage'],
    ['O-4', 'during the outage'],
  ]) {
    const publish = spans.find(
      ({ kind, attributes }) => kind === 'PRODUCER' && attributes['messaging.message.id'] === id,
    );
    const tookMs = publish === undefined ? '?' : Math.round(publish.endMs - publish.startMs);
    console.log(paint.bold(`${id}, ${when}: published in ${tookMs} ms`));
    console.log(`${treeOf(spans.filter(({ traceId }) => traceId === publish?.traceId))}\n`);
  }
  return printChecks(verify(spans, orders), paint) ? 0 : 1;
}
