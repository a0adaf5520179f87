#!/usr/bin/env node
/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// The demo: five services without tracing code, three brokers, and what the preload makes of them.
const { mkdir, writeFile } = require('node:fs/promises');
const { dirname, join, relative } = require('node:path');
const { startBrokers } = require('@otel-messaging/test-utils');
const { readArguments, USAGE } = require('./lib/arguments.js');
const { pageOf } = require('./lib/page.js');
const { paintFor } = require('./lib/paint.js');
const { runPipeline } = require('./lib/pipeline-run.js');
const { forwardingFrom, startReceiver } = require('./lib/receiver.js');
const report = require('./lib/report.js');
const { sampleOrders } = require('./lib/sample-orders.js');
const { SERVICE_NAMES } = require('./lib/services.js');
const { VARIANTS } = require('./lib/variants.js');
const { verify } = require('./lib/verify.js');

const OUT = join(__dirname, 'out');
const BROKER_VARIABLES = ['RABBITMQ_URL', 'KAFKA_BROKERS', 'SQS_ENDPOINT'];

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'; // noise here: the demo runs on Node 20 too

const startedMs = performance.now();
const paint = paintFor(process.stdout);
const log = (text) =>
  console.log(`${paint.dim(`${((performance.now() - startedMs) / 1_000).toFixed(1).padStart(5)} s`)}  ${text}`);

const options = readArguments(process.argv.slice(2));
if (options.error) {
  console.error(`${options.error}\n\n${USAGE}`);
  process.exitCode = 2;
} else if (options.help) {
  console.log(USAGE);
} else {
  main(options).catch((error) => {
    if (error.exitCode === undefined) console.error(`\n${paint.bad('✗')} ${error.message}`);
    process.exit(error.exitCode ?? 1); // at once, also when brokers are still on their way up; they follow us
  });
}

async function main({ orders, html, verbose, compareWith }) {
  const interrupted = interruption();
  const variants = compareWith ? [VARIANTS[compareWith], VARIANTS['otel-messaging']] : [VARIANTS['otel-messaging']];
  const runs = [];
  const starting = startBrokers(['sqs', 'rabbitmq', 'kafka'], { log: (text) => log(`  ${text}`) });
  const brokers = await Promise.race([starting, interrupted]);
  let receiver;
  try {
    log('brokers ready');
    const forwarding = forwardingFrom(process.env);
    receiver = await startReceiver({ ...forwarding, log });
    if (forwarding) log(`spans also go to ${forwarding.forwardTo('/v1/traces')}`);
    const common = { prefix: namePrefix(), brokers: brokers.env, receiver, interrupted, log, verbose };
    for (const variant of variants) {
      if (compareWith) log(paint.bold(titleOf(variant)));
      const run = await runPipeline({ variant, orders: sampleOrders(orders), ...common });
      runs.push({ title: titleOf(variant), ...run });
    }
  } finally {
    await receiver?.stop();
    await brokers.stop();
  }
  log('brokers stopped\n');

  const page = html ?? join(OUT, 'trace.html');
  process.exitCode = compareWith ? await showComparison(runs, page) : await showRun(runs[0], page);
}

async function showRun(run, path) {
  const all = report.ordersWithSpans(run);
  const checks = verify(run.spans, run.orders, SERVICE_NAMES);
  const eventful = report.mostEventful(run.orders);
  console.log(
    report.waterfallOf(
      all.find(({ order }) => order === eventful),
      paint,
    ),
  );
  console.log(`\n${report.orderTable(all, paint)}\n`);
  console.log(`${report.checkList(checks, paint)}\n`);
  await writePage(path, { run, checks, selected: eventful.id });

  const failed = checks.filter(({ problems }) => problems.length > 0);
  if (failed.length === 0) return 0;
  console.error(`${paint.bad('The traces are not what they should be:')} ${failed.map(({ name }) => name).join('; ')}`);
  return 1;
}

async function showComparison(runs, path) {
  const eventful = report.mostEventful(runs[0].orders);
  for (const run of runs) {
    const shown = report.ordersWithSpans(run).find(({ order }) => order.id === eventful.id);
    console.log(`${paint.bold(`── ${run.title} `.padEnd(120, '─'))}\n`);
    console.log(`${shown.pieces.length ? report.waterfallOf(shown, paint) : report.logOf(shown.order, paint)}\n`);
  }
  console.log(`${report.comparison(runs, paint)}\n`);
  const [other, ours] = runs;
  const checks = verify(ours.spans, ours.orders, SERVICE_NAMES);
  await writePage(path, { run: ours, checks, selected: eventful.id });
  if (other.spans.length > 0) {
    const otherPath = path.replace(/(\.html)?$/, '-upstream.html');
    await writePage(otherPath, {
      run: other,
      checks: verify(other.spans, other.orders, SERVICE_NAMES),
      selected: eventful.id,
    });
  }
  return 0;
}

/** A page that cannot be written says so; what was verified stays verified. */
async function writePage(path, content) {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, pageOf(content));
    console.log(`The same in a browser: ${relative(process.cwd(), path)}`);
  } catch (error) {
    console.error(`could not write ${path}: ${error.message}`);
  }
}

const titleOf = ({ name }) => ({ upstream: "upstream's packages", without: 'without tracing' })[name] ?? name;

/** Brokers that somebody else also uses get names of our own. */
function namePrefix() {
  return BROKER_VARIABLES.some((name) => process.env[name]) ? `demo-${process.pid}-` : '';
}

/** Rejects at the first SIGINT or SIGTERM, so that everything is taken down in order; the second one is not ours. */
function interruption() {
  const interrupted = new Promise((_, reject) => {
    for (const [signal, number] of [
      ['SIGINT', 2],
      ['SIGTERM', 15],
      ['SIGHUP', 1],
    ]) {
      process.once(signal, () => {
        log(`${signal}: stopping`);
        reject(Object.assign(new Error(signal), { exitCode: 128 + number }));
      });
    }
  });
  interrupted.catch(() => {}); // raced where there is something to interrupt
  return interrupted;
}
