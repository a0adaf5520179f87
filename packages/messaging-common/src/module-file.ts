/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { InstrumentationNodeModuleFile } from '@opentelemetry/instrumentation';

/**
 * A file of an instrumented package, patched as soon as it is loaded. Nothing undoes that by file: `disable()` puts
 * everything back, whatever copies of the package there are.
 * @param name the package's name and the path in it
 * @param patch gives what takes the place of the exports, if anything does
 */
export function moduleFile(
  name: string,
  versions: readonly string[],
  patch: (exports: never) => unknown,
): InstrumentationNodeModuleFile {
  const patched = (exports: unknown) => patch(exports as never) ?? exports;
  return new InstrumentationNodeModuleFile(name, [...versions], patched, () => {});
}
