/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { invocationHeader } from './invocation';
import { addMiddleware } from './marked-commands';

/** A request of the client while it is built, as far as a middleware of that step sees it. */
export interface BuiltRequest {
  readonly headers: Record<string, string>;
  body?: unknown;
}

/** Adds a middleware that sees each request of the client right before it is signed, after those of the application. */
export function watchRequests(client: unknown, see: (request: BuiltRequest, input: unknown) => void): void {
  const middleware = (next: (args: Built) => unknown) => (args: Built) => {
    const { request, input } = args;
    if (request?.headers !== undefined) {
      try {
        see(request as BuiltRequest, input);
      } catch {
        // A request of an unknown kind goes out as it is.
      }
    }
    return next(args);
  };
  addMiddleware(client, middleware, { step: 'build', priority: 'low', name: 'otelMessagingTraceHeader' });
}

interface Built {
  readonly input?: unknown;
  readonly request?: { readonly headers?: Record<string, string>; body?: unknown };
}

/** Whether the application, or the X-Ray SDK, has put an X-Ray header on the request. */
export function hasForeignHeader({ headers }: BuiltRequest): boolean {
  for (const name of Object.keys(headers)) {
    // The client's own, in a Lambda function, is no choice of the application; its lineage is in ours as well.
    if (isTraceHeader(name)) return headers[name] !== invocationHeader();
  }
  return false;
}

/** Puts the header on the request, in place of the client's own. */
export function setTraceHeader({ headers }: BuiltRequest, header: string): void {
  for (const name of Object.keys(headers)) if (isTraceHeader(name)) delete headers[name];
  headers[NAME] = header;
}

function isTraceHeader(name: string): boolean {
  return name.length === NAME.length && name.toLowerCase() === NAME.toLowerCase();
}

const NAME = 'X-Amzn-Trace-Id';
