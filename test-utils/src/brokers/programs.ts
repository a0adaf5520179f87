/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { existsSync } from 'node:fs';
import { access, constants, realpath } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';

export const searchPath = () => (process.env['PATH'] ?? '').split(delimiter);

/** The path of a program in the first of `folders` that has it. */
export async function findProgram(name: string, folders = searchPath()): Promise<string | undefined> {
  for (const folder of folders) {
    const path = join(folder, name);
    if (
      folder &&
      (await access(path, constants.X_OK).then(
        () => true,
        () => false,
      ))
    )
      return path;
  }
  return undefined;
}

/**
 * RabbitMQ's own start script of an installed server. On `PATH` a distribution puts a wrapper that changes the user to
 * `rabbitmq`, who may not write into our folders; the server's script lies beside it.
 */
export async function installedRabbitmq(): Promise<string | undefined> {
  const onPath = await findProgram('rabbitmq-server', [
    ...searchPath(),
    '/usr/sbin',
    '/usr/local/sbin',
    '/opt/homebrew/sbin',
  ]);
  if (!onPath) return existsSync(DEBIAN_SCRIPT) ? DEBIAN_SCRIPT : undefined;
  const beside = join(dirname(await realpath(onPath)), 'rabbitmq-server');
  return existsSync(beside) ? realpath(beside) : realpath(onPath);
}

const DEBIAN_SCRIPT = '/usr/lib/rabbitmq/bin/rabbitmq-server';
