/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { join } from 'node:path';
import { onFreePorts } from './ports';
import type { OwnBroker } from './running-broker';
import { TiedProcess } from './tied-process';

const START_TIMEOUT_MS = 60_000;

// The same folder from `src` and from `build`.
const SERVER = join(__dirname, '..', '..', 'servers', 'strict-sqs.mjs');

/** What a client needs beside the endpoint; never the account of the person who runs the tests. */
export const TEST_ACCOUNT = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' };

/** An SQS and SNS server of our own, `servers/strict-sqs.mjs`. It keeps its queues in memory: a restart loses them. */
export function launchSqs(): Promise<OwnBroker> {
  return onFreePorts(1, launch);
}

async function launch(port: number): Promise<OwnBroker> {
  const start = async () => {
    const server = new TiedProcess([process.execPath, SERVER], { env: { SQS_PORT: String(port) } });
    await server.ready(/^\{"port":\d+\}$/m, START_TIMEOUT_MS);
    return server;
  };
  let server = await start();
  return {
    name: 'sqs',
    how: `fauxqs with the limits of Amazon (127.0.0.1:${port})`,
    env: { SQS_ENDPOINT: `http://127.0.0.1:${port}`, ...TEST_ACCOUNT },
    get pid() {
      return server.pid;
    },
    halt: (signal = 'SIGTERM') => server.end(signal),
    async restart() {
      server = await start();
    },
    stop: () => server.end('SIGKILL'),
  };
}
