/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes } from '@opentelemetry/api';
import type { Carrier } from './carrier';
import type { ResolvedConfig } from './config';
import type { MessageReader } from './operation';
import { ATTR_MESSAGING_HEADER_PREFIX } from './semconv';

/** Never recorded, whatever the configuration says: ids of traces, baggage, and credentials. */
const TRACING =
  /^(traceparent|tracestate|baggage|b3|x-b3-.*|uber-.*|uberctx-.*|x-amzn-trace-id|awstraceheader|_datadog|x-datadog-.*|sentry-trace)$/is;
const CREDENTIALS = /authorization|cookie|password|passwd|secret|token|credential|api[-_]?key/i;

const MAX_HEADERS = 50;
const MAX_LENGTH = 1000;
/** Longer names are on nobody's list, and would make attribute keys of any length. */
const MAX_NAME_LENGTH = 200;

/** Which headers of a message become attributes: an allow-list of names and globs; a denial wins. */
export class CapturedHeaders {
  readonly isEmpty: boolean;
  private readonly allowed: readonly string[];
  private readonly denied: readonly string[];

  constructor({ captureHeaders, denyHeaders }: Pick<ResolvedConfig, 'captureHeaders' | 'denyHeaders'>) {
    this.allowed = globs(captureHeaders);
    this.denied = globs(denyHeaders);
    this.isEmpty = this.allowed.length === 0;
  }

  /**
   * Adds `messaging.header.<name>`, lower-cased, each a list of one text of 1,000 characters at most.
   * @param carrier whose headers are never recorded either
   */
  addTo<M>(attributes: Attributes, message: M, reader: MessageReader<M>, carrier?: Carrier): void {
    let count = 0;
    for (const name of reader.keys(message)) {
      if (!this.isAllowed(name) || carrier?.owns(name)) continue;
      const value = reader.get(message, name);
      if (value === undefined) continue;
      attributes[ATTR_MESSAGING_HEADER_PREFIX + name.toLowerCase()] = [value.slice(0, MAX_LENGTH)];
      if (++count === MAX_HEADERS) return;
    }
  }

  private isAllowed(header: string): boolean {
    if (header === '' || header.length > MAX_NAME_LENGTH) return false;
    const name = header.toLowerCase();
    if (!this.allowed.some((glob) => matches(glob, name)) || this.denied.some((glob) => matches(glob, name)))
      return false;
    return !TRACING.test(name) && !CREDENTIALS.test(name);
  }
}

function globs(patterns: readonly string[]): readonly string[] {
  return patterns.filter((glob) => typeof glob === 'string' && glob !== '').map((glob) => glob.toLowerCase());
}

/**
 * Whether a name is the glob's; `*` stands for any text. By hand: as a regular expression, several `*` take minutes for
 * some of the names that a stranger may put into a message.
 */
function matches(glob: string, name: string): boolean {
  let [g, n] = [0, 0];
  let [star, resume] = [-1, 0]; // the last `*`, and where to go on if it is to stand for one character more
  while (n < name.length) {
    if (glob[g] === '*') [star, resume] = [g++, n];
    else if (glob[g] === name[n]) [g, n] = [g + 1, n + 1];
    else if (star >= 0) [g, n] = [star + 1, ++resume];
    else return false;
  }
  while (glob[g] === '*') g++;
  return g === glob.length;
}
