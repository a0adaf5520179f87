/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { brokerUrl } from './broker';

const MESSAGES = 5_000;

// With 200,000 messages: npm run test:amqp-memory
test('messages that nobody settles are not kept, only their spans are, and those end with the channel', () => {
  const fixture = join(__dirname, 'fixtures/unsettled.cjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', fixture, String(MESSAGES)], {
    encoding: 'utf8',
    timeout: 25_000,
    env: { ...process.env, RABBITMQ_URL: brokerUrl(), NODE_OPTIONS: '' },
  });
  expect([status, stderr]).toEqual([0, '']);
  const { openWhileHeld, open, heldBytes, keptBytes } = JSON.parse(stdout);
  expect([openWhileHeld, open]).toEqual([MESSAGES, 0]);
  expect(heldBytes).toBeLessThan(3_000); // the content alone is 2,000, and pins as much again
  expect(keptBytes).toBeLessThan(300); // one span and its bookkeeping are 1,600
});
