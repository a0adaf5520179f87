/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { InstrumentationBase } from '@opentelemetry/instrumentation';

/** Most tests have nothing to do with these, and they are slow to load, or have a native binding that may not be built. */
const UNASKED = ['@nestjs/microservices', 'rascal', '@confluentinc/kafka-javascript', 'node-rdkafka'];

/**
 * Applies an instrumentation to modules of the caller's registry, as the require hook would: jest has a registry of its
 * own, which the hook does not see. `enable()` and `disable()` then work as after a real `require`.
 * @param load the caller's `require`
 * @param only names of the modules to load and patch; by default all but frameworks and native clients
 */
export function applyInstrumentation(
  instrumentation: InstrumentationBase,
  load: NodeJS.Require,
  only?: readonly string[],
): void {
  for (const definition of modulesOf(instrumentation)) {
    if (only === undefined ? UNASKED.includes(definition.name) : !only.includes(definition.name)) continue;
    const main = resolve(load, definition.name);
    if (main === undefined) continue;
    const folder = packageFolder(main, definition.name);
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    definition.moduleVersion = version;
    if (definition.patch !== undefined) {
      definition.moduleExports = load(definition.name);
      if (instrumentation.isEnabled()) definition.patch(definition.moduleExports, version);
    }
    for (const file of definition.files) {
      const path = join(folder, file.name.slice(definition.name.length + 1));
      const resolved = resolve(load, path);
      if (resolved === undefined || isModule(resolved)) continue; // a file of other versions, or for `import` alone
      file.moduleExports = load(resolved);
      if (instrumentation.isEnabled()) file.patch(file.moduleExports, version);
    }
  }
}

interface Definition {
  readonly name: string;
  moduleVersion?: string;
  moduleExports?: unknown;
  readonly patch?: (exports: unknown, version?: string) => unknown;
  readonly files: {
    readonly name: string;
    moduleExports?: unknown;
    patch(exports: unknown, version?: string): unknown;
  }[];
}

/** The definitions that `enable()` and `disable()` use; `getModuleDefinitions()` would make new ones. */
function modulesOf(instrumentation: InstrumentationBase): Definition[] {
  return (instrumentation as unknown as { _modules: Definition[] })._modules;
}

function resolve(load: NodeJS.Require, name: string): string | undefined {
  try {
    return load.resolve(name);
  } catch {
    return undefined;
  }
}

function packageFolder(main: string, name: string): string {
  const marker = join('node_modules', ...name.split('/'));
  const end = main.lastIndexOf(marker);
  return end < 0 ? dirname(main) : main.slice(0, end + marker.length);
}

/** Whether the nearest `package.json` calls its files ES modules, which jest's registry does not load. */
function isModule(file: string): boolean {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest))
      return (JSON.parse(readFileSync(manifest, 'utf8')) as { type?: string }).type === 'module';
  }
  return false;
}
