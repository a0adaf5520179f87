/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { join } from 'node:path';
import type { RunningBroker } from './running-broker';
import { TiedProcess } from './tied-process';

const START_TIMEOUT_MS = 60_000;

// The same folder from `src` and from `build`.
const SERVER = join(__dirname, '..', '..', 'servers', 'strict-sqs.mjs');

/** What a client needs beside the endpoint; never the account of the person who runs the tests. */
export const TEST_ACCOUNT = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' };

/** An SQS and SNS server of our own, `servers/strict-sqs.mjs`; it keeps its queues in memory. */
export async function launchSqs(): Promise<RunningBroker & { readonly pid: number }> {
  const server = new TiedProcess([process.execPath, SERVER]);
  const [, port] = await server.ready(/^\{"port":(\d+)\}$/m, START_TIMEOUT_MS);
  return {
    name: 'sqs',
    how: `fauxqs behind Amazon's limits (127.0.0.1:${port})`,
    env: { SQS_ENDPOINT: `http://127.0.0.1:${port}`, ...TEST_ACCOUNT },
    pid: server.pid,
    stop: () => server.end('SIGKILL'),
  };
}
