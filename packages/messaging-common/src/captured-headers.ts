/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes } from '@opentelemetry/api';
import type { ResolvedConfig } from './config';
import type { MessageReader } from './operation';
import { ATTR_MESSAGING_HEADER_PREFIX } from './semconv';

/** Never recorded, whatever the configuration says: ids of traces, baggage, and credentials. */
const ALWAYS_DENIED =
  /^(traceparent|tracestate|baggage|b3|x-b3-.*|uber-.*|x-amzn-trace-id|awstraceheader|authorization|cookie|.*(password|secret|token|credential|api-?key).*)$/i;

const MAX_HEADERS = 50;
const MAX_LENGTH = 1000;

/** Which headers of a message become attributes: an allow-list of names and globs; a denial wins. */
export class CapturedHeaders {
  readonly isEmpty: boolean;
  private readonly allowed: RegExp | undefined;
  private readonly denied: RegExp | undefined;

  constructor({ captureHeaders, denyHeaders }: Pick<ResolvedConfig, 'captureHeaders' | 'denyHeaders'>) {
    this.allowed = globs(captureHeaders);
    this.denied = globs(denyHeaders);
    this.isEmpty = this.allowed === undefined;
  }

  /** Adds `messaging.header.<name>`, lower-cased, each a list of one text of 1,000 characters at most. */
  addTo<M>(attributes: Attributes, message: M, reader: MessageReader<M>): void {
    let count = 0;
    for (const name of reader.keys(message)) {
      if (!this.allowed?.test(name) || this.denied?.test(name) || ALWAYS_DENIED.test(name)) continue;
      const value = reader.get(message, name);
      if (value === undefined) continue;
      attributes[ATTR_MESSAGING_HEADER_PREFIX + name.toLowerCase()] = [value.slice(0, MAX_LENGTH)];
      if (++count === MAX_HEADERS) return;
    }
  }
}

function globs(patterns: readonly string[]): RegExp | undefined {
  const parts = patterns
    .filter((pattern) => typeof pattern === 'string' && pattern !== '')
    .map((pattern) => pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*'));
  return parts.length === 0 ? undefined : new RegExp(`^(?:${parts.join('|')})$`, 'i');
}
