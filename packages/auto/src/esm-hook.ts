/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { createRequire, register } from 'node:module';
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What of import-in-the-middle's synchronous hooks is used; both files are missing in its older versions. */
interface SyncHooks {
  supportsSyncHooks?(): boolean;
  register(options?: HookOptions): void;
}

interface HookOptions {
  readonly include: readonly (string | RegExp)[];
}

/**
 * Makes `import` visible to the instrumentations, as `require` already is.
 *
 * Only `modules` go through the hook: wrapping each module of an application costs start-up time and is a risk for
 * modules that have nothing to do with us. Without `modules` all do, which leaves a hook that somebody else registered as
 * it is (the last registration's options hold for both).
 */
export function hookModules(modules?: readonly string[]): void {
  // The copy that @opentelemetry/instrumentation listens to: with another one nothing would ever be reported to it.
  const requireHook = createRequire(require.resolve('@opentelemetry/instrumentation'));
  const options = modules && { include: [...new Set(modules)].flatMap(matchers) };
  const sync = syncHooks(requireHook);
  if (sync) sync.register(options);
  else register(pathToFileURL(requireHook.resolve('import-in-the-middle/hook.mjs')).href, { data: options });
}

function syncHooks(requireHook: NodeJS.Require): SyncHooks | undefined {
  try {
    const { supportsSyncHooks } = requireHook('import-in-the-middle/supports-sync-hooks.mjs') as SyncHooks;
    return supportsSyncHooks?.() ? requireHook('import-in-the-middle/register-hooks.mjs') : undefined;
  } catch {
    return undefined;
  }
}

// By name as the application imports it, and by place for the files inside. A name may be a path (a Lambda handler).
function matchers(name: string): (string | RegExp)[] {
  if (isAbsolute(name)) return [new RegExp(`^${escaped(pathToFileURL(name).href)}`)];
  return [name, new RegExp(`/node_modules/${escaped(name)}/`)];
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
