/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Delivery } from '@otel-messaging/messaging-common';
import type { HelperSource } from './process';

/** What one copy of this package knows, for the helper functions of the others. */
export interface PackageCopy {
  /** How the message was delivered, if an instrumentation of this copy saw that. */
  deliveryFor(message: unknown): Delivery | undefined;
  /** Its instrumentation, if it has one that is on. */
  source(): HelperSource | undefined;
}

/**
 * A process may have several: that of a layer or a preload, whose instrumentation has the client, and one that was bundled with the
 * application, which calls its helpers. The number is for what they say to each other.
 */
const COPIES = Symbol.for('otel-messaging copies of instrumentation-sqs, 1');

export function joinCopies(copy: PackageCopy): void {
  copies().push(copy);
}

/** The first answer of a copy. */
export function askCopies<T>(question: (copy: PackageCopy) => T | undefined): T | undefined {
  for (const copy of copies()) {
    const answer = question(copy);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

function copies(): PackageCopy[] {
  const holder = globalThis as { [COPIES]?: PackageCopy[] };
  holder[COPIES] ??= [];
  return holder[COPIES];
}
