/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the tests look at in a span that arrived by OTLP. */
export interface ReceivedSpan {
  readonly service: string;
  readonly scope: string;
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly { readonly key: string }[];
}

/** A collector on the loopback interface that keeps what it is sent. */
export interface Collector {
  readonly spans: readonly ReceivedSpan[];
  /** Requests so far, those included that are never answered. */
  readonly requests: number;
  /** The variables that make a process export to it. */
  readonly env: Readonly<Record<string, string>>;
  /** Takes requests from now on without ever answering them. */
  hang(): void;
  close(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  const spans: ReceivedSpan[] = [];
  let isHanging = false;
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    if (!isHanging) void receive(request, response, spans);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    spans,
    get requests() {
      return requests;
    },
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
    },
    hang: () => {
      isHanging = true;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

interface TracesRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { key: string; value: { stringValue?: string } }[] };
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string };
      readonly spans: readonly Omit<ReceivedSpan, 'service' | 'scope'>[];
    }[];
  }[];
}

async function receive(request: IncomingMessage, response: ServerResponse, spans: ReceivedSpan[]): Promise<void> {
  let body = '';
  for await (const chunk of request) body += chunk;
  if (request.url === '/v1/traces') spans.push(...spansIn(JSON.parse(body)));
  response.setHeader('content-type', 'application/json').end('{}');
}

function spansIn({ resourceSpans }: TracesRequest): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? '';
    return scopeSpans.flatMap(({ scope, spans }) => spans.map((span) => ({ ...span, service, scope: scope.name })));
  });
}
