#!/usr/bin/env node
/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// Questions and answers over RabbitMQ, also with direct reply-to; traced without tracing code, and verified.
const { join } = require('node:path');
const { startBrokers } = require('@otel-messaging/test-utils');
const { printChecks } = require('../lib/checks.js');
const { runServices } = require('../lib/run-services.js');
const { treeOf } = require('../lib/tree.js');
const { paintFor } = require('../order-pipeline/lib/paint.js');
const { verify } = require('./lib/verify.js');

const SERVICES = [
  { name: 'shop', file: 'shop.js' },
  { name: 'prices', file: 'prices.js' },
  { name: 'taxes', file: 'taxes.js' },
  { name: 'stock', file: 'stock.mjs' },
];
const QUESTIONS = ['apple', 'book', 'candle', 'drum', 'engine', 'flute'].map((name) => ({ name }));

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
  const prefix = process.env.RABBITMQ_URL ? `rpc-${process.pid}-` : '';
  const names = { PRICES_QUEUE: `${prefix}prices`, TAXES_QUEUE: `${prefix}taxes`, STOCK_QUEUE: `${prefix}stock` };
  try {
    const spans = await runServices({
      services: SERVICES,
      folder: join(__dirname, 'services'),
      env: { ...brokers.env, ...names },
      onLine: () => {},
      drive: async ([{ port }]) => {
        await Promise.all(QUESTIONS.map((question) => ask(question, port)));
      },
      verbose: process.argv.includes('--verbose'),
    });
    return show(spans);
  } finally {
    await brokers.stop();
  }
}

async function ask({ name }, port) {
  const response = await fetch(`http://127.0.0.1:${port}/${name}`);
  const answer = await response.json();
  const expected = { name, price: name.length * 12, count: name.length * 2 };
  if (JSON.stringify(answer) !== JSON.stringify(expected))
    throw new Error(`asked for ${name}: ${JSON.stringify(answer)}`);
}

/** Prints the trace of a question, and the verification; the exit code. */
function show(spans) {
  const { traceId } = spans.find(({ kind }) => kind === 'SERVER') ?? {};
  console.log(paint.bold('one question'));
  console.log(`${treeOf(spans.filter((span) => span.traceId === traceId))}\n`);
  return printChecks(verify(spans, QUESTIONS), paint) ? 0 : 1;
}
