/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Patches } from '@otel-messaging/messaging-common';

/** Whose wrapper a method is. */
export const owners = new WeakMap<object, Patches>();

/** Whether a method is wrapped, and not by us. The mark is that of shimmer, which all of OpenTelemetry's use. */
export function isForeign(method: unknown, patches: Patches): boolean {
  const { __wrapped } = method as { __wrapped?: unknown };
  return __wrapped === true && owners.get(method as object) !== patches;
}
