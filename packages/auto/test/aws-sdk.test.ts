/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type Span, type Tracer, type TracerProvider, trace } from '@opentelemetry/api';
import type { Instrumentation } from '@opentelemetry/instrumentation';
import { AwsInstrumentation } from '@opentelemetry/instrumentation-aws-sdk';

import { withoutServices } from '../src/aws-sdk';

type Resolve = (handler: unknown, context: { clientName: string; commandName: string }) => (command: object) => unknown;
type Send = (this: { config: { serviceId: string } }, command: object) => unknown;

/** The parts of upstream's class that patch a client, called here as they are when a client is loaded. */
interface Patches {
  _getV3MiddlewareStackResolvePatch(version: string, original: Resolve): Resolve;
  _getV3SmithyClientSendPatch(version: string, original: Send): Send;
}

const instrumentations: Instrumentation[] = [];

function ours(...modules: string[]): Instrumentation {
  const definitions = modules.map((name) => ({ name }));
  return { instrumentationName: 'ours', getModuleDefinitions: () => definitions } as unknown as Instrumentation;
}

/** The names of the spans that upstream starts for one command of each client. */
async function tracedServices(instrumentation: Instrumentation): Promise<string[]> {
  const started: string[] = [];
  const tracer = {
    startSpan: (name: string): Span => {
      started.push(name);
      return trace.wrapSpanContext({ traceId: '1'.repeat(32), spanId: '1'.repeat(16), traceFlags: 1 });
    },
  } as unknown as Tracer;
  instrumentation.setTracerProvider({ getTracer: () => tracer } as TracerProvider);
  const patches = instrumentation as unknown as Patches;
  const resolve = patches._getV3MiddlewareStackResolvePatch('3.0.0', () => async () => ({ output: {} }));
  for (const service of ['SQS', 'SNS', 'DynamoDB']) {
    const client = { clientName: `${service}Client`, commandName: 'ListThingsCommand' };
    await resolve(undefined, client)({ input: {} });
  }
  return started;
}

function upstream(): Instrumentation {
  const instrumentation = new AwsInstrumentation({ enabled: false });
  instrumentations.push(instrumentation);
  return instrumentation;
}

test('without ours upstream traces every service', async () => {
  const instrumentation = withoutServices(upstream(), [ours('amqplib')])!;
  expect(await tracedServices(instrumentation)).toHaveLength(3);
});

test('a service that ours traces is left alone, the others are not', async () => {
  const instrumentation = withoutServices(upstream(), [ours('@aws-sdk/client-sqs')])!;
  expect(await tracedServices(instrumentation)).toHaveLength(2);
});

test('SNS is left alone as soon as ours traces it', async () => {
  const instrumentation = withoutServices(upstream(), [ours('@aws-sdk/client-sqs', '@aws-sdk/client-sns')])!;
  expect(await tracedServices(instrumentation)).toEqual(['DynamoDB.ListThings']);
});

test.each([
  ['SQS', false],
  ['DynamoDB', true],
])('the middleware stack of a client of %s is patched: %s', (serviceId, isPatched) => {
  const instrumentation = withoutServices(upstream(), [ours('@aws-sdk/client-sqs')])!;
  const send = (instrumentation as unknown as Patches)._getV3SmithyClientSendPatch('3.0.0', () => 'sent');
  const middlewareStack = { resolve() {}, clone() {}, concat() {} };
  const { resolve } = middlewareStack;
  expect(send.call({ config: { serviceId }, middlewareStack } as never, {})).toBe('sent');
  expect(middlewareStack.resolve !== resolve).toBe(isPatched);
});

test('a version that cannot be told is turned off', () => {
  const disable = jest.fn();
  const write = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  const other = {
    instrumentationName: '@opentelemetry/instrumentation-aws-sdk',
    disable,
  } as unknown as Instrumentation;
  expect(withoutServices(other, [ours('@aws-sdk/client-sqs')])).toBeUndefined();
  expect(disable).toHaveBeenCalled();
  expect(write.mock.calls.join()).toContain('cannot be told to leave SQS to us');
  write.mockRestore();
});

test('other instrumentations stay as they are', () => {
  const other = { instrumentationName: '@opentelemetry/instrumentation-express' } as Instrumentation;
  expect(withoutServices(other, [ours('@aws-sdk/client-sqs')])).toBe(other);
});
