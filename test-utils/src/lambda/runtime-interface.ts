/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How a function answered one event. */
export interface Answer {
  readonly manner: 'response' | 'error';
  readonly body: string;
  /** The events that had been asked for when the answer came; a function is frozen from its next question on. */
  readonly requestId: string;
}

/**
 * The interface that Lambda has for the runtime of a function: `next` waits for an event, `response` and `error` answer it.
 * One function at a time, which it freezes (SIGSTOP) between an answer and the next event, as the service does.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export interface RuntimeInterface {
  /** The variables of the function's process. */
  readonly env: Readonly<Record<string, string>>;
  /** Hands an event to the function; resolves with its answer, once the function has asked for the next event. */
  invoke(event: unknown): Promise<Answer>;
  /** What the runtime reported while it loaded the function. */
  readonly initErrors: readonly string[];
  close(): Promise<void>;
}

const PREFIX = '/2018-06-01/runtime';

export interface RuntimeInterfaceOptions {
  /** `src/index.handler`. */
  readonly handler: string;
  /** The folder of the function. */
  readonly root: string;
  readonly functionName?: string;
  /** Milliseconds that the function has for each event. Default: 10,000. */
  readonly timeoutMs?: number;
  /** Called with what the service does to the function's process; the pid is known to whoever started it. */
  freeze?(isFrozen: boolean): void;
}

export async function startRuntimeInterface(options: RuntimeInterfaceOptions): Promise<RuntimeInterface> {
  const { functionName = 'fixture', timeoutMs = 10_000 } = options;
  const initErrors: string[] = [];
  let asking: ServerResponse | undefined;
  let wake: (() => void) | undefined;
  let answered: Answer | undefined;
  let requestId = '';

  const isAsking = () =>
    new Promise<void>((resolve) => {
      if (asking !== undefined) resolve();
      else wake = resolve;
    });

  const server = createServer(async (request, response) => {
    const path = request.url ?? '';
    if (request.method === 'GET' && path === `${PREFIX}/invocation/next`) {
      asking = response;
      request.socket.once('close', () => {
        if (asking === response) asking = undefined;
      });
      options.freeze?.(true);
      wake?.();
      wake = undefined;
      return;
    }
    const body = await text(request);
    const [, id, manner] = /\/invocation\/([^/]+)\/(response|error)$/.exec(path) ?? [];
    if (path === `${PREFIX}/init/error`) initErrors.push(body);
    else if (id === requestId && answered === undefined) {
      answered = { manner: manner as Answer['manner'], body: body || trailers(request), requestId };
    } else return void response.writeHead(403).end('{"errorType":"InvalidRequestID"}');
    response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"OK"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  return {
    initErrors,
    env: {
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
      AWS_LAMBDA_FUNCTION_NAME: functionName,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${functionName}`,
      AWS_LAMBDA_LOG_STREAM_NAME: '2026/01/01/[$LATEST]0123456789abcdef',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_REGION: 'us-east-1',
      LAMBDA_TASK_ROOT: options.root,
      _HANDLER: options.handler,
    },
    async invoke(event) {
      await isAsking();
      const response = asking!;
      asking = undefined;
      answered = undefined;
      requestId = randomUUID();
      options.freeze?.(false);
      response
        .writeHead(200, {
          'content-type': 'application/json',
          'lambda-runtime-aws-request-id': requestId,
          'lambda-runtime-deadline-ms': String(Date.now() + timeoutMs),
          'lambda-runtime-invoked-function-arn': `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`,
          'lambda-runtime-trace-id': 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0',
        })
        .end(JSON.stringify(event));
      await isAsking();
      if (answered === undefined) throw new Error('the function asked for the next event without an answer');
      return answered;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function text(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body;
}

/** Where a streamed response puts its error. */
function trailers({ trailers }: IncomingMessage): string {
  return Buffer.from(trailers['lambda-runtime-function-error-body'] ?? '', 'base64').toString('utf8');
}
