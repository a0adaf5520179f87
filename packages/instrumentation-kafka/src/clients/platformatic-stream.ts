/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { deliveredFormats } from '../retry-format';
import { clientFactsOf, type PltClient } from './platformatic-client';
import { PltFormat } from './platformatic-message';
import type { Scope } from './scope';
import { patchStreamClass } from './streams';

/** A stream of messages, with the consumer that it belongs to. */
interface PltStream {
  readonly consumer: PltClient;
}

/** Wraps the streams that consumers give; false where another instrumentation was there first. */
export function patchStream(prototype: object, scope: Scope): boolean {
  const plain = new PltFormat(scope.options, { namesAreBytes: false, valuesAreBytes: false }, false);
  const formats = deliveredFormats(plain, scope.topics);
  return patchStreamClass(prototype as PltStream, scope, ({ consumer }) => {
    return { client: clientFactsOf(consumer), formats };
  });
}
