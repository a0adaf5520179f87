/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import * as modules from 'node:module';
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
 * Only modules of these `names` go through the hook: wrapping each module of an application costs start-up time and is a risk for
 * modules that have nothing to do with us. Without `names` all do, which leaves a hook that somebody else registered as
 * it is (the last registration's options hold for both).
 */
export function hookModules(names?: readonly string[]): void {
  // The copy that @opentelemetry/instrumentation listens to: with another one nothing would ever be reported to it.
  const requireHook = modules.createRequire(require.resolve('@opentelemetry/instrumentation'));
  const options = names && { include: [...new Set(names)].flatMap(matchers) };
  const sync = syncHooks(requireHook);
  if (sync) {
    sync.register(options);
    loadOthersAsTheyAre();
  } else modules.register(pathToFileURL(requireHook.resolve('import-in-the-middle/hook.mjs')).href, { data: options });
}

function syncHooks(requireHook: NodeJS.Require): SyncHooks | undefined {
  try {
    const { supportsSyncHooks } = requireHook('import-in-the-middle/supports-sync-hooks.mjs') as SyncHooks;
    return supportsSyncHooks?.() ? requireHook('import-in-the-middle/register-hooks.mjs') : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A module that import-in-the-middle (3.6.0) cannot wrap, since one that it requires is missing, say, it gives for an ES module
 * whatever it is, so that a CommonJS module fails which runs without us. Hooks that are registered later see it first.
 */
function loadOthersAsTheyAre(): void {
  const load = (url: string, context: object, nextLoad: NextLoad): Loaded => {
    const loaded = nextLoad(url, context);
    if (!MARK.test(url) || WRAPPER.test(String(loaded.source))) return loaded;
    const own = nextLoad(url.replace(MARK, ''), { ...context, format: undefined });
    return own.format === 'commonjs' && String(own.source) === String(loaded.source) ? own : loaded;
  };
  (modules as unknown as { registerHooks?(hooks: { load: typeof load }): void }).registerHooks?.({ load });
}

/** How import-in-the-middle marks what it is to wrap, and what its wrappers import. */
const MARK = /[?&]iitm=true\b/;
const WRAPPER = /import-in-the-middle\/lib\/register\.js"/;

interface Loaded {
  readonly format?: unknown;
  readonly source?: unknown;
}

type NextLoad = (url: string, context: object) => Loaded;

// By name as the application imports it, and by place for the files inside. A name may be a path (a Lambda handler).
function matchers(name: string): (string | RegExp)[] {
  if (isAbsolute(name)) return [new RegExp(`^${escaped(pathToFileURL(name).href)}`)];
  return [name, new RegExp(`/node_modules/${escaped(name)}/`)];
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
