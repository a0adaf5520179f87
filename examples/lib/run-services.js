/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { startReceiver } = require('../order-pipeline/lib/receiver.js');
const { startServices } = require('../order-pipeline/lib/services.js');

const STOP_TIMEOUT_MS = 8_000;
const TIMEOUT_MS = 60_000;

/**
 * Starts services with the preload, drives them, stops them, and gives back the spans that they sent.
 * @param {object} run
 * @param {readonly { name: string, file: string }[]} run.services
 * @param {string} run.folder that their files are in
 * @param {Record<string, string>} run.env of all services
 * @param {(service: string, fields: Record<string, unknown>) => void} run.onLine hears every line of JSON that a service prints
 * @param {(ready: Record<string, unknown>[]) => Promise<void>} run.drive gets what the services printed when they were ready
 * @param {boolean} [run.verbose] shows what the services print
 * @returns {Promise<import('../order-pipeline/lib/otlp.js').Span[]>}
 */
async function runServices({ services: pipeline, folder, env, onLine, drive, verbose }) {
  let crash;
  const crashed = new Promise((_, reject) => {
    crash = reject;
  });
  crashed.catch(() => {}); // raced below
  const receiver = await startReceiver();
  const preload = require.resolve('@otel-messaging/auto/register');
  const own = { ...exporting(receiver.endpoint), ...env };
  const services = startServices({ pipeline, folder, preload, env: own, onLine, onCrash: crash, verbose });
  const late = setTimeout(() => crash(new Error(`not done after ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS);
  try {
    await Promise.race([services.ready.then(drive), crashed]);
  } finally {
    clearTimeout(late);
    const { complaints } = await services.stop(STOP_TIMEOUT_MS);
    for (const { name, text } of complaints) console.error(`${name} wrote to stderr: ${text}`);
    await receiver.stop();
  }
  return receiver.take();
}

/** The person's environment without other settings of OpenTelemetry and Node.js, so that every run is the same. */
function exporting(endpoint) {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('OTEL_') && name !== 'NODE_OPTIONS',
  );
  return {
    ...Object.fromEntries(inherited),
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    OTEL_BSP_SCHEDULE_DELAY: '200',
  };
}

module.exports = { runServices };
