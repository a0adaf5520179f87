/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join, parse, resolve } from 'node:path';
import { InstrumentationNodeModuleDefinition, moduleFile } from '@otel-messaging/messaging-common';

/** Where the handler of a Lambda function is: a file, and the names that lead from its exports to the function. */
export interface HandlerPlace {
  readonly file: string;
  readonly path: readonly string[];
}

/**
 * Where Lambda's runtime will look for the handler, by its own rules; undefined outside of Lambda.
 * `src/index.api.handler` is the export `handler` of the export `api` of `src/index`, with whatever extension there is.
 */
export function handlerPlace(env: NodeJS.ProcessEnv): HandlerPlace | undefined {
  const { _HANDLER: handler, LAMBDA_TASK_ROOT: root } = env;
  if (!handler || !root || handler.includes('..')) return undefined;
  const name = basename(handler);
  const [, module, path] = /^([^.]*)\.(.+)$/.exec(name) ?? [];
  if (!module || !path) return undefined;
  const folder = handler.slice(0, handler.length - name.length);
  const file = fileOf(root, join(folder, module));
  return file === undefined ? undefined : { file: realPathOf(file), path: path.split('.') };
}

/** The module definition that wraps the handler as soon as the runtime has loaded it, by `require` or by `import`. */
export function handlerDefinition(
  { file, path }: HandlerPlace,
  wrap: (handler: never) => unknown,
  warn: (text: string) => void,
): InstrumentationNodeModuleDefinition {
  const patch = (exports: unknown) => withHandler(exports, path, wrap, warn);
  // The file stands in the place of a package, and its name without extension in that of a file in it: this is how the
  // hooks report what is loaded by an absolute path.
  return new InstrumentationNodeModuleDefinition(file, ['*'], undefined, undefined, [
    moduleFile(parse(file).name, ['*'], patch),
  ]);
}

/** The exports with the handler wrapped: the same object, or one like it where that cannot be changed. */
export function withHandler(
  exports: unknown,
  path: readonly string[],
  wrap: (handler: never) => unknown,
  warn: (text: string) => void,
): unknown {
  const name = path.at(-1) as string;
  let holder = exports as Exports | undefined;
  for (const step of path.slice(0, -1)) holder = holder?.[step] as Exports | undefined;
  const handler = holder?.[name];
  if (!holder || typeof handler !== 'function') return withDefault(exports, path, wrap, warn);
  const wrapped = wrap(handler as never);
  if (wrapped === handler || isReplaced(holder, name, wrapped)) return exports;
  // Exports of bundlers are getters that cannot be replaced.
  if (holder === exports) return copyWith(holder, name, wrapped);
  warn(`the handler ${path.join('.')} cannot be replaced in its module: its SQS events are not traced`);
  return exports;
}

type Exports = Record<string, unknown>;

/** A CommonJS module whose exports `import` does not see by name: the runtime then looks at all of them, the default. */
function withDefault(...[exports, path, wrap, warn]: Parameters<typeof withHandler>): unknown {
  const { default: all } = (exports ?? {}) as Exports;
  if (typeof all !== 'object' || all === null) return exports; // no handler, and the runtime says so itself
  const replaced = withHandler(all, path, wrap, warn);
  if (replaced === all || isReplaced(exports as Exports, 'default', replaced)) return exports;
  return copyWith(exports as Exports, 'default', replaced);
}

function isReplaced(holder: Exports, name: string, value: unknown): boolean {
  try {
    holder[name] = value;
  } catch {
    return false;
  }
  return holder[name] === value;
}

function copyWith(exports: object, name: string, value: unknown): object {
  const descriptors = Object.getOwnPropertyDescriptors(exports) as Record<string, PropertyDescriptor>;
  descriptors[name] = { value, enumerable: true, configurable: true, writable: true };
  return Object.create(Object.getPrototypeOf(exports), descriptors);
}

function fileOf(root: string, module: string): string | undefined {
  const file = resolve(root, module);
  const extension = ['', '.js', '.mjs', '.cjs'].find((extension) => isFile(file + extension));
  if (extension !== undefined) return file + extension;
  try {
    return createRequire(join(root, 'index.js')).resolve(module);
  } catch {
    return undefined; // the runtime finds none either, and says so
  }
}

/** What the loaders report is without links. */
function realPathOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
