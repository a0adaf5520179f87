/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { existsSync } from 'node:fs';
import { access, constants, realpath } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';

/** The path of a program on `PATH`, or in one of the folders where systems keep those of the administrator. */
export async function findProgram(name: string, alsoIn: readonly string[] = []): Promise<string | undefined> {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), ...alsoIn]) {
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
  const onPath = await findProgram('rabbitmq-server', ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/sbin']);
  if (!onPath) return existsSync(DEBIAN_SCRIPT) ? DEBIAN_SCRIPT : undefined;
  const beside = join(dirname(await realpath(onPath)), 'rabbitmq-server');
  return existsSync(beside) ? realpath(beside) : realpath(onPath);
}

const DEBIAN_SCRIPT = '/usr/lib/rabbitmq/bin/rabbitmq-server';
