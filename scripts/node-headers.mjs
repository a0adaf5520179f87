/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Variables by which node-gyp compiles for the running Node: with the headers beside it, as its own archives and most
 * packages have them, a download less; never with those of another Node that somebody's npm is configured with.
 */
export function headersOfNode() {
  if (process.env.npm_config_nodedir !== undefined && isOurVersion(process.env.npm_config_nodedir)) return {};
  const prefix = dirname(dirname(process.execPath));
  return { npm_config_nodedir: isOurVersion(prefix) ? prefix : '' };
}

function isOurVersion(prefix) {
  try {
    const header = readFileSync(join(prefix, 'include', 'node', 'node_version.h'), 'utf8');
    const [major] = process.versions.node.split('.');
    return new RegExp(`define NODE_MAJOR_VERSION ${major}\\b`).test(header);
  } catch {
    return false;
  }
}
