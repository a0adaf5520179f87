/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { SpanKind } from '@opentelemetry/api';
import { lowCardinalityName, sendKind, spanKind, spanName } from '../src/conventions';
import type { OperationFacts } from '../src/operation';

describe('the name of a span', () => {
  test.each<[string, Partial<OperationFacts>]>([
    ['publish orders', { destination: { name: 'orders' } }],
    ['publish orders.{id}', { destination: { name: 'orders.7', template: 'orders.{id}' } }],
    ['publish reply.{id}', { destination: { name: 'reply.7', template: 'reply.{id}', temporary: true } }],
    ['publish', { destination: { name: 'reply.7', temporary: true } }],
    ['publish', { destination: { name: 'amq.gen-7', anonymous: true } }],
    ['publish', { destination: {}, server: { address: 'broker', port: 1 } }],
    ['publish broker:5672', { server: { address: 'broker', port: 5672 } }],
    ['publish broker', { server: { address: 'broker' } }],
    ['publish', { server: { port: 5672 } }],
    ['publish', {}],
  ])('%s', (expected, facts) => {
    expect(spanName({ type: 'send', name: 'publish', system: 'rabbitmq', ...facts })).toBe(expected);
  });
});

test.each([
  ['create', SpanKind.PRODUCER],
  ['process', SpanKind.CONSUMER],
  ['receive', SpanKind.CLIENT],
  ['settle', SpanKind.CLIENT],
] as const)('the kind of %s', (type, kind) => {
  expect(spanKind(type)).toBe(kind);
});

test('a send is a producer if its context went into a message', () => {
  expect([sendKind(true), sendKind(false)]).toEqual([SpanKind.PRODUCER, SpanKind.CLIENT]);
});

test('no destination has no name', () => {
  expect(lowCardinalityName(undefined)).toBeUndefined();
});
