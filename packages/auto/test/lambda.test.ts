/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { eventually, type RuntimeInterface, startRuntimeInterface } from '@otel-messaging/test-utils';

import { type Collector, type ReceivedSpan, startCollector } from './collector';

const ROOT = join(__dirname, 'fixtures/lambda');
const RUNTIME = join(__dirname, '../../../test-utils/lambda/runtime.mjs');
const REGISTER = '@otel-messaging/auto/register';
const CONSUMER = 5;

let collector: Collector;
let lambda: RuntimeInterface | undefined;
let child: ChildProcess | undefined;
let output = '';

beforeEach(async () => {
  collector = await startCollector();
});

afterEach(async () => {
  child?.kill('SIGKILL');
  await lambda?.close();
  await collector.close();
});

/** A function as the service runs it: frozen from the moment that it asks for the next event. */
async function startFunction(handler: string, nodeOptions = `--require ${REGISTER}`, env: Record<string, string> = {}) {
  output = '';
  lambda = await startRuntimeInterface({
    handler,
    root: ROOT,
    freeze: (isFrozen) => child?.kill(isFrozen ? 'SIGSTOP' : 'SIGCONT'),
  });
  const kept = Object.entries(process.env).filter(([key]) => !key.startsWith('OTEL_') && key !== 'NODE_OPTIONS');
  child = spawn(process.execPath, [RUNTIME], {
    cwd: ROOT,
    env: { ...Object.fromEntries(kept), ...collector.env, ...lambda.env, NODE_OPTIONS: nodeOptions, ...env },
  });
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk) => (output += chunk));
  return lambda;
}

const TRACE_IDS = ['0af7651916cd43dd8448eb211c80319c', '4bf92f3577b34da6a3ce929d0e0e4736'];
const SPAN_ID = 'b7ad6b7169203331';

/** Two messages of two traces. */
function eventOf(...bodies: string[]) {
  return {
    Records: bodies.map((body, i) => ({
      messageId: `m${i}`,
      body,
      attributes: { SentTimestamp: String(Date.now()), ApproximateReceiveCount: '1' },
      messageAttributes: { traceparent: { stringValue: `00-${TRACE_IDS[i]}-${SPAN_ID}-01`, dataType: 'String' } },
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:orders',
      awsRegion: 'us-east-1',
    })),
  };
}

const processed = () => collector.spans.filter(({ kind }) => kind === CONSUMER);

/** What is seen at the moment at which the function is frozen: the batch, and a span in the trace of each message. */
function expectTraces(spans: readonly ReceivedSpan[]): void {
  const batch = spans.filter(({ parentSpanId }) => !parentSpanId);
  expect(batch.map(({ name }) => name)).toEqual(['process orders']);
  for (const traceId of TRACE_IDS) {
    expect(spans.filter((span) => span.traceId === traceId)).toMatchObject([
      { name: 'process orders', parentSpanId: SPAN_ID, scope: '@otel-messaging/instrumentation-sqs' },
    ]);
  }
  expect(spans).toHaveLength(3);
}

const REQUIRE = `--require ${REGISTER}`;
const IMPORT = `--import ${REGISTER}`;

test.each([
  [REQUIRE, 'commonjs.handler'],
  [REQUIRE, 'bundled.handler'],
  [REQUIRE, 'module.handler'],
  [REQUIRE, 'esm/index.handler'],
  [REQUIRE, 'streaming.handler'],
  [REQUIRE, 'wrapped.handler'],
  [IMPORT, 'module.handler'],
])('NODE_OPTIONS="%s": %s is traced, and exported before the process is frozen', async (nodeOptions, handler) => {
  const { invoke, initErrors } = await startFunction(handler, nodeOptions);
  const answer = await invoke(eventOf('one', 'two'));
  expectTraces(processed());
  expect(answer).toMatchObject({ manner: 'response', body: '{"batchItemFailures":[]}' });
  expect(initErrors).toEqual([]);
  expect(output).toBe('');
});

test('the request by which the runtime gives an answer that is streamed has no span', async () => {
  const { invoke } = await startFunction('streaming.handler');
  for (const body of ['one', 'two']) await invoke(eventOf(body));
  expect(processed()).toHaveLength(4);
  expect(collector.spans.filter(({ scope }) => scope.endsWith('/instrumentation-http'))).toEqual([]);
});

test('a handler that answers by its callback is traced, and exported before it', async () => {
  const { invoke } = await startFunction('callback.handler');
  const { body } = await invoke(eventOf('one', 'two'));
  expect(body).toBe('{"batchItemFailures":[{"itemIdentifier":"m0"}]}');
  // The loop of this one is synchronous, so that only the message that failed has a span.
  expect(processed().map(({ traceId }) => traceId)).toContain(TRACE_IDS[0]);
  expect(processed()).toHaveLength(2);
});

describe('an asynchronous handler that answers by its callback', () => {
  test('is traced, and its answer is the callback’s', async () => {
    const { invoke } = await startFunction('async-callback.handler');
    const { manner, body } = await invoke(eventOf('one', 'two'));
    expect([manner, body]).toEqual(['response', '{"batchItemFailures":[{"itemIdentifier":"m0"}]}']);
    expectTraces(processed());
    expect(output).toBe('');
  });

  test('has failed if that was called with an error', async () => {
    const { invoke } = await startFunction('async-callback.failing');
    expect(await invoke(eventOf('one', 'two'))).toMatchObject({
      manner: 'error',
      body: expect.stringContaining('"errorMessage":"no stock"'),
    });
    expectTraces(processed());
  });

  test('answers an event of another service in the same way', async () => {
    const { invoke } = await startFunction('async-callback.api');
    expect(await invoke({ httpMethod: 'GET' })).toMatchObject({ manner: 'response', body: '{"statusCode":200}' });
  });
});

test('an error of the handler is the function’s answer, and the next event is handled as the first was', async () => {
  const { invoke } = await startFunction('commonjs.handler');
  expect(await invoke(eventOf('throws', 'two'))).toMatchObject({
    manner: 'error',
    body: expect.stringContaining('"errorType":"RangeError","errorMessage":"no stock"'),
  });
  expect(processed()).toHaveLength(2);
  await invoke(eventOf('one', 'two'));
  expect(processed()).toHaveLength(5);
});

test('a collector that does not answer holds one answer up, for as long as configured', async () => {
  const limitMs = 1000;
  const { invoke } = await startFunction('commonjs.handler', undefined, {
    OTEL_MESSAGING_FLUSH_TIMEOUT: String(limitMs),
  });
  collector.hang();
  const took: number[] = [];
  for (let i = 0; i < 3; i++) {
    const startedMs = performance.now();
    expect(await invoke(eventOf('one'))).toMatchObject({ manner: 'response' });
    took.push(performance.now() - startedMs);
  }
  expect(took.map((milliseconds) => milliseconds >= limitMs)).toEqual([true, false, false]);
});

test('with a limit of 0 no answer waits, and what was recorded is frozen with the process', async () => {
  const { invoke } = await startFunction('commonjs.handler', undefined, { OTEL_MESSAGING_FLUSH_TIMEOUT: '0' });
  await invoke(eventOf('one', 'two'));
  expect(processed()).toEqual([]);
});

test('without the preload a wrapped handler runs as it is', async () => {
  const { invoke } = await startFunction('wrapped.handler', '');
  expect(await invoke(eventOf('fails'))).toMatchObject({ body: '{"batchItemFailures":[{"itemIdentifier":"m0"}]}' });
  expect(collector.spans).toEqual([]);
});

test('a handler that does not exist is the runtime’s error, as without us', async () => {
  const { initErrors } = await startFunction('nowhere.handler');
  await eventually('the error', () => initErrors.length > 0);
  expect(initErrors[0]).toContain('nowhere');
  expect(output).toBe('');
});
