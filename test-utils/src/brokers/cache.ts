/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { existsSync } from 'node:fs';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { temporaryFolder } from './temporary-folder';

/** Where prepared copies of brokers live between runs: `OTEL_MESSAGING_CACHE`, else the user's cache folder. */
export async function cacheFolder(): Promise<string> {
  const chosen = process.env['OTEL_MESSAGING_CACHE'];
  if (chosen) return writable(chosen);
  try {
    return await writable(join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'otel-messaging'));
  } catch {
    // No home, or one that may only be read, as in some containers.
    return writable(join(tmpdir(), `otel-messaging-cache-${process.getuid?.() ?? 'user'}`));
  }
}

/**
 * The path of `name` in the cache, made by `prepare` if it is not there. The folder appears in one step, so that several
 * processes may prepare it at once and none ever sees half of one. `prepare` also gets the final path, for programs that
 * write down where they live.
 */
export async function cached(
  name: string,
  prepare: (staging: string, final: string) => Promise<void>,
): Promise<string> {
  const final = join(await cacheFolder(), name);
  if (existsSync(final)) return final;
  const staging = temporaryFolder('preparing', dirname(final));
  try {
    await prepare(staging.path, final);
    await rename(staging.path, final).catch((error) => {
      if (!existsSync(final)) throw error; // else another process was faster
    });
    return final;
  } finally {
    await staging.remove();
  }
}

async function writable(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { uid } = await stat(folder);
  // What lies there is executed later: a folder that somebody else made in a shared place is not ours to trust.
  if (process.getuid && uid !== process.getuid()) throw new Error(`${folder} belongs to another user`);
  const probe = join(folder, `probe-${process.pid}-${process.hrtime.bigint()}`);
  await writeFile(probe, '');
  await rm(probe, { force: true });
  return folder;
}
