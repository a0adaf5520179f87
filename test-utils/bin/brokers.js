#!/usr/bin/env node
/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// Starts brokers for work by hand: prints their addresses as lines for a shell and runs until Ctrl-C or the end of stdin.

const { startBrokers } = require('../build/brokers/index.js');

const ALL = ['sqs', 'kafka', 'rabbitmq'];

async function main(names) {
  const unknown = names.filter((name) => !ALL.includes(name));
  if (unknown.length > 0) throw new Error(`Unknown: ${unknown.join(', ')}. There are ${ALL.join(', ')}.`);
  const brokers = await startBrokers(names.length > 0 ? names : ALL, { log: (line) => console.error(line) });
  for (const [name, value] of Object.entries(brokers.env)) console.log(`export ${name}=${quoted(value)}`);
  await new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, resolve);
    process.stdin.once('end', resolve).resume();
  });
  await brokers.stop();
}

function quoted(value) {
  return /^[\w.,:/@-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error) => {
    console.error(error.message);
    process.exit(1);
  },
);
