/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Removes a folder when its owner is gone (descriptor 3, as in `tied-process.ts`). It tries again for a while, because
 * the process that writes there is ended at the same moment and may still put a file beside a removed one.
 */
const GUARD = `read -r _ <&3 && exit 0
for _ in 1 2 3 4 5 6 7 8 9 10; do sleep 0.3; rm -rf "$1" && [ ! -e "$1" ] && exit 0; done`;

export interface TemporaryFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/** A new folder, for this user only, that is gone when `remove()` is called or when this process ends, however it ends. */
export function temporaryFolder(name: string, parent = tmpdir()): TemporaryFolder {
  const path = join(parent, `${name}-${randomBytes(6).toString('hex')}`);
  // The guard first: there is no moment at which the folder exists without it.
  const guard = spawn('sh', ['-c', GUARD, 'sh', path], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    detached: true,
  });
  const tie = guard.stdio[3] as Socket;
  tie.on('error', () => {});
  guard.unref();
  tie.unref();
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
      tie.end('removed\n');
    },
  };
}
