/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { RequestOptions } from 'node:http';
import type { Instrumentation } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';

import { getMessagingInstrumentations } from './messaging';
import { attempt } from './report';
import { isSelected, selectionFrom } from './selection';
import { loadUpstream, upstreamInstrumentations } from './upstream';

/** In a Lambda function: the runtime's own request that gives the answer, made below a handler that streams it. */
function ignoreOutgoingRequestHook({ host, hostname, port }: RequestOptions): boolean {
  const { AWS_LAMBDA_RUNTIME_API: runtime } = process.env;
  return runtime !== undefined && [`${hostname ?? host}:${port ?? 80}`, hostname ?? host].includes(runtime);
}

/**
 * Everything that the preload enables: ours, those of upstream's package if the application has it, and HTTP, so that a
 * trace starts where the request came in.
 */
export function allInstrumentations(): Instrumentation[] {
  const selection = selectionFrom(process.env);
  const upstream = loadUpstream(selection);
  const ours = getMessagingInstrumentations();
  const upstreams = upstream ? upstreamInstrumentations(upstream, selection, ours) : [];
  const hasHttp = upstreams.some(({ instrumentationName }) => instrumentationName.endsWith('/instrumentation-http'));
  const http =
    !hasHttp &&
    isSelected(selection, 'http') &&
    attempt('trace HTTP', () => new HttpInstrumentation({ ignoreOutgoingRequestHook }));
  return [...ours, ...upstreams, ...(http ? [http] : [])];
}
