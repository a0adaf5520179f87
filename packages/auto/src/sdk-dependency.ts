/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { createRequire } from 'node:module';

/**
 * A package that is a dependency of the Node SDK and not ours, in the copy that the SDK has. Does not load the SDK itself.
 * Throws if there is none.
 */
export function sdkDependency<T>(name: string): T {
  return createRequire(require.resolve('@opentelemetry/sdk-node'))(name) as T;
}
