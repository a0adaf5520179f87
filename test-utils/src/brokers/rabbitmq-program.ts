/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache';
import { systemName, unpackDebianPackages, unpackedLibraries } from './debian-packages';
import { findProgram, installedRabbitmq, searchPath } from './programs';
import { type Log, Unavailable } from './running-broker';

/** A RabbitMQ that can be started: its script and where its Erlang lies. */
export interface RabbitmqProgram {
  readonly origin: string;
  readonly script: string;
  readonly epmd: string;
  /** What the two need to find Erlang. */
  readonly env: Readonly<Record<string, string>>;
}

/** The server that is installed here. */
export async function installedProgram(): Promise<RabbitmqProgram> {
  const script = await installedRabbitmq();
  if (!script) throw new Unavailable('rabbitmq-server is not installed');
  const epmd = await findProgram('epmd', [
    ...searchPath(),
    '/usr/lib/erlang/bin',
    '/usr/local/lib/erlang/bin',
    '/opt/homebrew/bin',
  ]);
  if (!epmd) throw new Unavailable(`no epmd (Erlang) for ${script}`);
  return { origin: 'an installed program', script, epmd, env: {} };
}

/** A copy in the cache, from the packages of this Debian or Ubuntu system. */
export async function unpackedProgram(log: Log): Promise<RabbitmqProgram> {
  const folder = await cached(`rabbitmq-${await systemName()}`, async (staging, final) => {
    log('fetching and unpacking the packages of the distribution, about 35 MB (once)...');
    await unpackDebianPackages({ program: 'rabbitmq-server', family: /^erlang-/ }, staging);
    await moveErlang(staging, final);
  });
  const usr = join(folder, 'usr/lib');
  const server = (await readdir(join(usr, 'rabbitmq/lib'))).find((name) => name.startsWith('rabbitmq_server-'));
  return {
    origin: 'packages of the distribution, unpacked',
    script: join(usr, 'rabbitmq/lib', server!, 'sbin/rabbitmq-server'),
    epmd: join(usr, 'erlang/bin/epmd'),
    env: {
      PATH: `${join(usr, 'erlang/bin')}:${process.env['PATH'] ?? ''}`,
      LD_LIBRARY_PATH: await unpackedLibraries(folder),
    },
  };
}

/** Debian's `erl` has the place where it is installed written in. */
async function moveErlang(staging: string, final: string): Promise<void> {
  const erl = join(staging, 'usr/lib/erlang/bin/erl');
  const text = await readFile(erl, 'utf8');
  await writeFile(
    erl,
    text.replaceAll(/ROOTDIR=["']?\/usr\/lib\/erlang["']?/g, `ROOTDIR="${join(final, 'usr/lib/erlang')}"`),
  );
}
