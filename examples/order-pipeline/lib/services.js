/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { join } = require('node:path');
const { createInterface } = require('node:readline');

const PIPELINE = [
  { name: 'gateway', file: 'gateway.mjs' },
  { name: 'orders', file: 'orders.js' },
  { name: 'payments', file: 'payments.mjs' },
  { name: 'shipping', file: 'shipping.js' },
  { name: 'dead-letters', file: 'dead-letters.mjs' },
];

const FOLDER = join(__dirname, '..', 'services');
const SERVICE_NAMES = PIPELINE.map(({ name }) => name);
const START_TIMEOUT_MS = 45_000;

/**
 * Services, each a process of its own, with a promise of their being ready; those of the pipeline, or others in a folder.
 * `preload` goes to `node --require`; `onLine(service, fields)` gets every line of JSON that a service prints;
 * `onCrash(error)` hears of one that ended by itself.
 */
function startServices({ pipeline = PIPELINE, folder = FOLDER, preload, env, onLine, onCrash, verbose }) {
  const services = pipeline.map(({ name, file }) =>
    startService(name, join(folder, file), { preload, env, onLine, verbose }),
  );
  let stopping = false;
  for (const service of services) {
    service.exited.then((how) => {
      if (!stopping) onCrash(new Error(`${service.name} ended by itself (${how})${service.lastWords()}`));
    });
  }

  /** Asks all to end and waits; `patienceMs` later those that are left are killed. */
  const stop = async (patienceMs) => {
    stopping = true;
    for (const { child } of services) child.kill('SIGTERM');
    const slow = await Promise.all(services.map((service) => endOf(service, patienceMs)));
    const complaints = services.map((service) => ({ name: service.name, text: service.complaint() }));
    return { killed: slow.filter(Boolean), complaints: complaints.filter(({ text }) => text) };
  };

  const timeout = setTimeout(() => {
    const late = services.filter((service) => !service.isReady()).map(({ name }) => name);
    onCrash(new Error(`not ready after ${START_TIMEOUT_MS / 1000} s: ${late.join(', ')}`));
  }, START_TIMEOUT_MS);
  const ready = Promise.all(services.map((service) => service.ready)).finally(() => clearTimeout(timeout));
  return { stop, ready };
}

function startService(name, path, { preload, env, onLine, verbose }) {
  const preloads = [join(__dirname, 'guard.cjs'), ...(preload ? [preload] : [])].flatMap((each) => ['--require', each]);
  const child = spawn(process.execPath, [...preloads, path], {
    env: { ...env, OTEL_SERVICE_NAME: name },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'], // the fourth is the guard's
    detached: true, // Ctrl-C in the terminal is for the runner, which stops the services in order
  });
  const exited = once(child, 'exit').then(([code, signal]) => signal ?? `exit code ${code}`);

  let errors = '';
  child.stderr.on('data', (data) => {
    errors = (errors + data).slice(-4_000);
    if (verbose) process.stderr.write(data);
  });

  let isReady = false;
  const ready = new Promise((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (verbose) console.log(`  ${name}: ${line}`);
      const fields = parseLine(line);
      if (!fields) return;
      if (fields.ready) isReady = true;
      if (fields.ready) resolve(fields);
      else onLine(name, fields);
    });
  });
  const lastWords = () => (errors ? `:\n${errors.trimEnd()}` : '');
  const complaint = () => (verbose ? undefined : errors.split('\n').find((line) => line.trim() && !isNoise(line)));
  return { name, child, exited, ready, isReady: () => isReady, lastWords, complaint };
}

/** The name of the service if it had to be killed. */
async function endOf({ name, child, exited }, patienceMs) {
  if (child.exitCode !== null || child.signalCode !== null) return undefined;
  let killed;
  const timer = setTimeout(() => {
    killed = name;
    child.kill('SIGKILL');
  }, patienceMs);
  await exited;
  clearTimeout(timer);
  return killed;
}

/** What kafkajs 2.2 makes newer versions of Node.js say about one of its timers. */
const isNoise = (line) =>
  /TimeoutNegativeWarning|^Timeout duration was set to 1|^\(Use `node --trace-warnings/.test(line);

function parseLine(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

module.exports = { startServices, SERVICE_NAMES };
