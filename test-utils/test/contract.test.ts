/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type Attributes, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { MetricData } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { metricProblems, spanProblems } from '../src/contract';

const correct: Attributes = {
  'messaging.system.name': 'kafka',
  'messaging.operation.name': 'process',
  'messaging.operation.type': 'process',
  'messaging.destination.name': 'orders',
  'kafka.offset': 7,
};

test('a correct span has no problems', () => {
  expect(spanProblems(span({}))).toEqual([]);
});

test.each<[string, Partial<ReadableSpan>]>([
  ['messaging.destination.name is missing', { attributes: without('messaging.destination.name') }],
  ['aws.sqs.queue.url does not belong there', { attributes: { ...correct, 'aws.sqs.queue.url': 'x' } }],
  ['kafka.offset is a string', { attributes: { ...correct, 'kafka.offset': '7' } }],
  ['messaging.message.id is empty', { attributes: { ...correct, 'messaging.message.id': '' } }],
  ['kind is PRODUCER', { kind: SpanKind.PRODUCER }],
  ["operation name is 'handle'", { attributes: { ...correct, 'messaging.operation.name': 'handle' } }],
  ["name is not 'process …'", { name: 'orders process' }],
  ['status is OK; a success stays UNSET', { status: { code: SpanStatusCode.OK } }],
  ['error.type and an ERROR status go together', { status: { code: SpanStatusCode.ERROR } }],
])('%s', (problem, change) => {
  expect(spanProblems(span(change))).toContain(`span '${change.name ?? 'process orders'}' (kafka process): ${problem}`);
});

test('a foreign attribute of a link is named', () => {
  const links = [{ context: { traceId: '', spanId: '', traceFlags: 1 }, attributes: { 'server.port': 1 } }];
  expect(spanProblems(span({ links }))).toEqual([expect.stringContaining('link: server.port does not belong there')]);
});

test.each([
  ["unit is 'ms'", { unit: 'ms' }, {}],
  ['messaging.operation.name is missing', {}, { 'messaging.operation.name': undefined }],
  ['messaging.message.id does not belong there', {}, { 'messaging.message.id': 'x' }],
])('metric: %s', (problem, descriptor, attributes) => {
  const metric = {
    descriptor: { name: 'messaging.client.sent.messages', unit: '{message}', ...descriptor },
    dataPoints: [
      { value: 1, attributes: { 'messaging.system.name': 'kafka', 'messaging.operation.name': 'send', ...attributes } },
    ],
  } as unknown as MetricData;
  expect(metricProblems(metric)).toEqual([expect.stringContaining(problem)]);
});

function span(change: Partial<ReadableSpan>): ReadableSpan {
  const base = { name: 'process orders', kind: SpanKind.CONSUMER, attributes: correct, links: [], status: { code: 0 } };
  return { ...base, ...change } as unknown as ReadableSpan;
}

function without(key: string): Attributes {
  const { [key]: _, ...rest } = correct;
  return rest;
}
