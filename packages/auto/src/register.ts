/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { isMainThread, parentPort } from 'node:worker_threads';

import { attempt } from './report';

const STARTED = Symbol.for('@otel-messaging/auto started');

/** The loader-hooks thread of `module.register()` runs preloads too; unlike a worker of the application it has no parent. */
const isApplicationThread = isMainThread || parentPort !== null;

const isDisabled = process.env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true';

// A second copy, or the same by --require and --import, finds the mark of the first.
const global = globalThis as { [STARTED]?: true };

if (isApplicationThread && !isDisabled && !global[STARTED]) {
  global[STARTED] = true;
  // Loaded here and not above: whatever is wrong with a package of ours must not keep the application from starting.
  attempt('start tracing', () => (require('./start') as typeof import('./start')).start());
}
