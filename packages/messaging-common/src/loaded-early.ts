/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { sep } from 'node:path';

/** A module that an instrumentation waits for, as the base class keeps it: with the exports, once it was seen. */
export interface AwaitedModule {
  readonly name: string;
  readonly moduleExports?: unknown;
  readonly files: readonly { readonly moduleExports?: unknown }[];
}

/** Those of the modules that are loaded already; of ES modules and bundles nothing is known. */
export function loadedModules<M extends AwaitedModule>(modules: readonly M[]): M[] {
  // Of a bundler's making, there may be none.
  const cache: Partial<NodeJS.Dict<NodeJS.Module>> = require.cache ?? {};
  const loaded = new Set<string>();
  for (const path of Object.keys(cache)) {
    // A manifest is asked for its version, and loads nothing.
    if (!path.endsWith('.json') && cache[path]?.loaded) loaded.add(packageOf(path));
  }
  return modules.filter(({ name }) => loaded.has(name));
}

/** Whether a hook has shown the module, or a file of it, to the instrumentation. */
export function isSeen({ moduleExports, files }: AwaitedModule): boolean {
  return moduleExports !== undefined || files.some((file) => file.moduleExports !== undefined);
}

function packageOf(path: string): string {
  const start = path.lastIndexOf(FOLDER);
  if (start < 0) return '';
  const [first = '', second = ''] = path.slice(start + FOLDER.length).split(sep, 2);
  return first.startsWith('@') ? `${first}/${second}` : first;
}

const FOLDER = `${sep}node_modules${sep}`;
