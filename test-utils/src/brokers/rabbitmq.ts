/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { onFreePorts } from './ports';
import type { RabbitmqProgram } from './rabbitmq-program';
import type { OwnBroker } from './running-broker';
import { temporaryFolder } from './temporary-folder';
import { TiedProcess } from './tied-process';

/** Five seconds on a quiet machine; ten times that for a busy one. */
const START_TIMEOUT_MS = 60_000;

/**
 * Milliseconds after which a killed RabbitMQ knows the queues that were declared: its database keeps them in memory for two
 * seconds before it writes them, and nothing tells when it has.
 */
export const RABBITMQ_WRITES_QUEUES_AFTER_MS = 4000;

/**
 * A RabbitMQ of our own: user and password `guest`, virtual host `/`, nothing declared.
 * @param settings more lines of its configuration
 */
export function launchRabbitmq(program: RabbitmqProgram, settings: readonly string[] = []): Promise<OwnBroker> {
  return onFreePorts(3, (port, distribution, names) => launch(program, { port, distribution, names }, settings));
}

async function launch(program: RabbitmqProgram, ports: Ports, settings: readonly string[]): Promise<OwnBroker> {
  const { port, names } = ports;
  const folder = temporaryFolder('otel-messaging-rabbitmq');
  const env = serverEnvironment(program, folder.path, ports, settings);
  const options = { env, cwd: folder.path, without: /^(RABBITMQ_|ERL_)/ };
  // RabbitMQ would start this helper by itself, as a daemon that outlives it.
  const epmd = new TiedProcess([program.epmd, '-address', '127.0.0.1', '-port', String(names), '-d', '-d'], options);
  // Its scripts cannot live below a folder with a space in its name, where somebody's cache may be.
  symlinkSync(dirname(dirname(program.script)), join(folder.path, 'server'));
  const script = join(folder.path, 'server', basename(dirname(program.script)), basename(program.script));
  const start = async () => {
    const server = new TiedProcess([script], options);
    await server.ready(/completed with \d+ plugins/, START_TIMEOUT_MS);
    return server;
  };
  const clear = async () => {
    await epmd.end('SIGKILL');
    await folder.remove();
  };
  try {
    await epmd.ready(/entering the main select/, START_TIMEOUT_MS);
    let server = await start();
    return {
      name: 'rabbitmq',
      how: `RabbitMQ${versionOf(program)} from ${program.origin} (127.0.0.1:${port})`,
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
        await clear();
      },
    };
  } catch (error) {
    await clear();
    throw error;
  }
}

/** The script lies in `rabbitmq_server-3.10.8/sbin`, or with Homebrew in `4.1.0/sbin`. */
function versionOf({ script }: RabbitmqProgram): string {
  const version = /\d+\.\d+\.\d+/.exec(basename(dirname(dirname(script))));
  return version ? ` ${version}` : '';
}

interface Ports {
  readonly port: number;
  readonly distribution: number;
  readonly names: number;
}

function serverEnvironment(
  program: RabbitmqProgram,
  folder: string,
  ports: Ports,
  settings: readonly string[],
): Record<string, string> {
  const config = join(folder, 'rabbitmq.conf');
  // No file logging, and no alarm that blocks publishers on a machine whose disk is nearly full.
  const lines = [
    'log.file = false',
    'log.console = true',
    'log.console.level = error',
    'disk_free_limit.absolute = 1MB',
    ...settings,
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
