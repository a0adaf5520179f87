/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// npm run test:amqp-memory [-- messages]
// Consumes messages (200,000) that it never settles, closes the channel, and fails if anything of them is left. Starts a broker
// unless RABBITMQ_URL names one. No part of `npm test`: the broker needs some 600 MB and half a minute for them.

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const { startBrokers } = require('@otel-messaging/test-utils');
const messages = process.argv[2] ?? '200000';
const MOST_BYTES = 20;

const brokers = await startBrokers(['rabbitmq'], { log: (line) => console.error(line) });
const fixture = join(import.meta.dirname, 'fixtures/unsettled.cjs');
const { status, stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', fixture, messages], {
  encoding: 'utf8',
  timeout: 300_000,
  env: { ...process.env, ...brokers.env, NODE_OPTIONS: '' },
});
await brokers.stop();
if (status !== 0) throw new Error(`ended with ${status}: ${stderr}`);
const { openWhileHeld, open, heldBytes, keptBytes } = JSON.parse(stdout);
console.log(`${openWhileHeld} messages unsettled: ${heldBytes} bytes for each while the channel is open`);
console.log(`after its close: ${open} open spans, ${keptBytes} bytes for each message`);
process.exit(openWhileHeld === Number(messages) && open === 0 && keptBytes <= MOST_BYTES ? 0 : 1);
