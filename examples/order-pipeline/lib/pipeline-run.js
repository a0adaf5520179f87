/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { startJournal } = require('./journal.js');
const { startServices } = require('./services.js');
const { createTopology, removeTopology, topologyNames } = require('./topology.js');

const TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 8_000;
const ABORT_TIMEOUT_MS = 1_000;

/**
 * One passage of all orders through the five services, from their start to their end.
 * @param {object} run
 * @param {import('./variants.js').VARIANTS[string]} run.variant
 * @param {string} run.prefix of all names at brokers that are not ours alone; empty for our own
 * @param {Record<string, string>} run.brokers addresses, as environment variables
 * @param {Promise<never>} run.interrupted rejects when the person wants to stop
 * @returns {Promise<{ spans: import('./otlp.js').Span[], orders: import('./journal.js').OrderFacts[] }>}
 */
async function runPipeline({ variant, prefix, brokers, orders, receiver, interrupted, log, verbose }) {
  const preload = variant.preload();
  const names = topologyNames(prefix + variant.prefix);
  let crash;
  const crashed = new Promise((_, reject) => {
    crash = reject;
  });
  crashed.catch(() => {}); // raced below, but it may also happen between two races
  const unless = (promise) => Promise.race([promise, crashed, interrupted]);

  await unless(createTopology(brokers, names));
  log('queues, topic and exchanges created');

  const journal = startJournal(orders, names);
  const services = startServices({
    preload,
    env: serviceEnvironment({ brokers, names, endpoint: receiver.endpoint }),
    onLine: (service, fields) => journal.note(service, fields),
    onCrash: crash,
    verbose,
  });
  let patienceMs = ABORT_TIMEOUT_MS;
  try {
    const [{ port }] = await unless(services.ready);
    log('five services ready');
    await unless(Promise.all(orders.map((order) => place(order, port, journal))));
    log(`${orders.length} orders sent`);
    await unless(within(TIMEOUT_MS, journal.done, () => `not every order arrived: ${journal.underWay()}`));
    log('every order has reached its last handler');
    patienceMs = STOP_TIMEOUT_MS; // now they have spans to hand in
  } finally {
    const { killed, complaints } = await services.stop(patienceMs);
    if (killed.length > 0 && patienceMs === STOP_TIMEOUT_MS) log(`had to be killed: ${killed.join(', ')}`);
    for (const { name, text } of complaints) log(`${name} wrote to stderr: ${text}`);
    if (prefix) await removeTopology(brokers, names); // brokers of our own end with the run
  }
  const spans = receiver.take();
  log(`services stopped, ${spans.length} spans received`);
  return { spans, orders: journal.facts() };
}

/** The person's environment without other settings of OpenTelemetry and Node.js, so that every run is the same. */
function serviceEnvironment({ brokers, names, endpoint }) {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('OTEL_') && name !== 'NODE_OPTIONS',
  );
  return {
    ...Object.fromEntries(inherited),
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'demo',
    AWS_SECRET_ACCESS_KEY: 'demo',
    ...brokers,
    ...names,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    OTEL_BSP_SCHEDULE_DELAY: '200',
  };
}

async function place(order, port, journal) {
  const response = await fetch(`http://127.0.0.1:${port}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(order),
  });
  const answer = await response.json();
  if (response.status !== 202) throw new Error(`the gateway refused ${order.id}: ${response.status} ${answer.error}`);
  journal.accepted(order.id, answer.messageId);
}

function within(ms, promise, complaint) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(complaint())), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

module.exports = { runPipeline };
