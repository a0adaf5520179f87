/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

const NODE_24 = '24.21.0';

/** The Node binaries to measure with: the running one, and Node 24 from the cache where wanted. */
export function findRuntimes(node24) {
  const runtimes = [{ name: `Node ${process.versions.node.split('.')[0]}`, binary: process.execPath }];
  if (node24 === 'never' || runtimes[0].name === 'Node 24') return runtimes;
  const folder = path.join(cacheFolder(), `node-${NODE_24}`);
  const platform = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const binary = path.join(folder, 'node_modules', platform, 'bin', 'node');
  if (!existsSync(binary)) {
    if (node24 === 'if-present') {
      console.log(
        `Node 24 is not in the cache (${folder}): measuring with ${runtimes[0].name} only; --node24 fetches it.`,
      );
      return runtimes;
    }
    mkdirSync(folder, { recursive: true });
    console.log(`fetching ${platform}@${NODE_24} into ${folder}`);
    execFileSync('npm', ['install', '--no-save', '--prefix', folder, `${platform}@${NODE_24}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  runtimes.push({ name: 'Node 24', binary });
  return runtimes;
}

function cacheFolder() {
  return process.env.OTEL_MESSAGING_CACHE ?? path.join(homedir(), '.cache', 'otel-messaging');
}
