/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { accepts, onFreePorts } from './ports';
import { findProgram } from './programs';
import { type BrokerName, type Log, type RunningBroker, Unavailable } from './running-broker';
import { runTied } from './tied-process';

const COMPOSE_FILE = join(__dirname, '..', '..', '..', 'compose.yaml');
const START_TIMEOUT_MS = 300_000; // an image may have to be fetched

/** Takes the containers down when their owner is gone (descriptor 3, as in `tied-process.ts`) or says so. */
const GUARD = 'read -r _ <&3; exec "$@" 3<&-';

const ADDRESS = {
  rabbitmq: (port: number) => ({ RABBITMQ_URL: `amqp://guest:guest@127.0.0.1:${port}` }),
  kafka: (port: number) => ({ KAFKA_BROKERS: `127.0.0.1:${port}` }),
};
type InContainer = keyof typeof ADDRESS & BrokerName;

/** A broker of `compose.yaml` in a container, under a project name of its own, on a free port. */
export async function launchContainer(name: InContainer, log: Log): Promise<RunningBroker> {
  const docker = await findProgram('docker');
  if (!docker) throw new Unavailable('no container engine (docker)');
  // The program may be there without an engine to talk to.
  await runTied([docker, 'info']).catch(() => {
    throw new Unavailable('no container engine answers (docker info)');
  });
  await runTied([docker, 'compose', 'version']).catch(() => {
    throw new Unavailable('docker has no compose');
  });
  return onFreePorts(1, (port) => launch(docker, name, port, log));
}

async function launch(docker: string, name: InContainer, port: number, log: Log): Promise<RunningBroker> {
  const project = `otel-messaging-${randomBytes(4).toString('hex')}`;
  const compose = [docker, 'compose', '-p', project, '-f', COMPOSE_FILE];
  const env = { RABBITMQ_PORT: String(port), KAFKA_PORT: String(port) };
  const down = takeDown([...compose, 'down', '--volumes', '--timeout', '1'], env);
  log('starting a container...');
  try {
    await runTied([...compose, 'up', '--detach', '--wait', '--wait-timeout', String(START_TIMEOUT_MS / 1000), name], {
      env,
    });
    if (!(await accepts('127.0.0.1', port)))
      throw new Error(`the container of ${name} does not answer on port ${port}`);
  } catch (error) {
    await down();
    throw error;
  }
  return { name, how: `a container of compose.yaml (127.0.0.1:${port})`, env: ADDRESS[name](port), stop: down };
}

function takeDown(command: readonly string[], env: Readonly<Record<string, string>>): () => Promise<void> {
  const guard = spawn('sh', ['-c', GUARD, 'sh', ...command], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
    detached: true,
  });
  const tie = guard.stdio[3] as Socket;
  tie.on('error', () => {});
  guard.unref();
  tie.unref();
  const gone = new Promise<void>((resolve) => guard.once('exit', () => resolve()));
  return () => {
    guard.ref();
    tie.end('stop\n');
    return gone;
  };
}
