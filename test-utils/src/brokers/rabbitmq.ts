/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { freePorts } from './ports';
import type { RabbitmqProgram } from './rabbitmq-program';
import type { OwnBroker } from './running-broker';
import { temporaryFolder } from './temporary-folder';
import { TiedProcess } from './tied-process';

/** Five seconds on a quiet machine; ten times that for a busy one. */
const START_TIMEOUT_MS = 60_000;

/** A RabbitMQ of our own: user and password `guest`, virtual host `/`, nothing declared. */
export async function launchRabbitmq(program: RabbitmqProgram): Promise<OwnBroker> {
  const folder = temporaryFolder('otel-messaging-rabbitmq');
  try {
    const [port, distribution, names] = (await freePorts(3)) as [number, number, number];
    const env = serverEnvironment(program, folder.path, { port, distribution, names });
    // RabbitMQ would start this helper by itself, as a daemon that outlives it.
    const epmd = new TiedProcess([program.epmd, '-address', '127.0.0.1', '-port', String(names), '-d', '-d'], { env });
    await epmd.ready(/entering the main select\(\) loop/, START_TIMEOUT_MS);
    const start = async () => {
      const server = new TiedProcess([program.script], { env, cwd: folder.path });
      await server.ready(/completed with \d+ plugins/, START_TIMEOUT_MS);
      return server;
    };
    let server = await start().catch(async (error) => {
      await epmd.end('SIGKILL');
      throw error;
    });
    const version = /(\d+\.\d+\.\d+)/.exec(basename(dirname(dirname(program.script))))?.[1] ?? '';
    return {
      name: 'rabbitmq',
      how: `RabbitMQ ${version} from ${program.origin} (127.0.0.1:${port})`.replace('  ', ' '),
      env: { RABBITMQ_URL: `amqp://guest:guest@127.0.0.1:${port}` },
      get pid() {
        return server.pid;
      },
      halt: (signal = 'SIGTERM') => server.end(signal),
      async restart() {
        server = await start();
      },
      async stop() {
        await server.end('SIGKILL');
        await epmd.end('SIGKILL');
        await folder.remove();
      },
    };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

interface Ports {
  readonly port: number;
  readonly distribution: number;
  readonly names: number;
}

function serverEnvironment(program: RabbitmqProgram, folder: string, ports: Ports): Record<string, string> {
  const config = join(folder, 'rabbitmq.conf');
  // No file logging, and no alarm that blocks publishers on a machine whose disk is nearly full.
  const lines = [
    'log.file = false',
    'log.console = true',
    'log.console.level = error',
    'disk_free_limit.absolute = 1MB',
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  return {
    ...program.env,
    HOME: folder, // Erlang writes its cookie there
    TMPDIR: folder,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: String(ports.names),
    // The script replaces itself by the server instead of staying as its parent, so that a signal reaches the server.
    RUNNING_UNDER_SYSTEMD: 'true',
    RABBITMQ_NODENAME: 'test@localhost',
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(ports.port),
    RABBITMQ_DIST_PORT: String(ports.distribution),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}',
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_CONFIG_FILE: config,
    RABBITMQ_CONF_ENV_FILE: join(folder, 'none'),
  };
}
