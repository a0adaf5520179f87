/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes } from '@opentelemetry/api';
import { B3Propagator } from '@opentelemetry/propagator-b3';
import { CapturedHeaders } from '../src/captured-headers';
import { Carrier } from '../src/carrier';
import type { MessageReader } from '../src/operation';

const reader: MessageReader<Record<string, string>> = {
  get: (headers, field) => headers[field],
  keys: (headers) => Object.keys(headers),
  describe: () => ({}),
};

function captured(headers: Record<string, string>, captureHeaders: string[], denyHeaders: string[] = []) {
  const attributes: Attributes = {};
  new CapturedHeaders({ captureHeaders, denyHeaders }).addTo(attributes, headers, reader);
  return attributes;
}

describe('allowed', () => {
  test.each([
    ['tenant', ['tenant'], true],
    ['Tenant', ['tenant'], true],
    ['tenant', ['TENANT'], true],
    ['tenants', ['tenant'], false],
    ['x-tenant-id', ['x-tenant-*'], true],
    ['x-tenant-', ['x-tenant-*'], true],
    ['x-tenan', ['x-tenant-*'], false],
    ['anything', ['*'], true],
    ['a.b', ['a.b'], true],
    ['axb', ['a.b'], false],
    ['a+b(c)[d]', ['a+b(c)[d]'], true],
    ['tenant', ['other', 'tenant'], true],
    ['tenant', [], false],
    ['tenant', [''], false],
  ])('%s by %j: %s', (name, patterns, expected) => {
    expect(captured({ [name]: 'v' }, patterns)).toEqual(
      expected ? { [`messaging.header.${name.toLowerCase()}`]: ['v'] } : {},
    );
  });
});

describe('never recorded, whatever is allowed', () => {
  test.each([
    'traceparent',
    'TraceParent',
    'tracestate',
    'baggage',
    'b3',
    'X-B3-TraceId',
    'uber-trace-id',
    'X-Amzn-Trace-Id',
    'AWSTraceHeader',
    'x-datadog-trace-id',
    '_datadog',
    'sentry-trace',
    'Authorization',
    'proxy-authorization',
    'cookie',
    'Set-Cookie',
    'password',
    'db_password',
    'client-secret',
    'x-auth-token',
    'credentials',
    'x-api-key',
    'ApiKey',
    'api_key',
    'my\npassword',
  ])('%j', (name) => {
    expect(captured({ [name]: 'v' }, ['*', name])).toEqual({});
  });

  test('what is denied, in any letter case', () => {
    expect(captured({ 'X-Customer': 'v', tenant: 'v' }, ['*'], ['x-cust*'])).toEqual({
      'messaging.header.tenant': ['v'],
    });
  });

  test('what the registered propagator owns', () => {
    const attributes: Attributes = {};
    const propagator = Object.assign(new B3Propagator(), { fields: () => ['My-Trace'] });
    const headers = new CapturedHeaders({ captureHeaders: ['*'], denyHeaders: [] });
    headers.addTo(attributes, { 'my-trace': 'x', tenant: 'a' }, reader, new Carrier(propagator));
    expect(attributes).toEqual({ 'messaging.header.tenant': ['a'] });
  });
});

describe('limits', () => {
  test('a value of 1,000 characters is whole, a longer one is cut', () => {
    const [short, long] = ['x'.repeat(1000), 'x'.repeat(1001)];
    expect(captured({ a: short, b: long }, ['*'])).toEqual({
      'messaging.header.a': [short],
      'messaging.header.b': [short],
    });
  });

  test('50 headers are recorded, the 51st is not', () => {
    const headers = Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`h${i}`, 'v']));
    expect(Object.keys(captured(headers, ['*']))).toHaveLength(50);
  });

  test('a name of 200 characters is recorded, a longer one is not', () => {
    expect(Object.keys(captured({ ['x'.repeat(200)]: 'v' }, ['*']))).toHaveLength(1);
    expect(captured({ ['x'.repeat(201)]: 'v' }, ['*'])).toEqual({});
  });

  test('names that match globs badly cost no time', () => {
    const before = performance.now();
    captured({ [`${'-'.repeat(100_000)}!`]: 'v', ['-'.repeat(200)]: 'v' }, ['*-*-*-*-x']);
    expect(performance.now() - before).toBeLessThan(100);
  });

  test('a header without a value is left out', () => {
    expect(captured({ a: undefined as unknown as string }, ['*'])).toEqual({});
  });
});

test('nothing allowed is known before any message', () => {
  expect(new CapturedHeaders({ captureHeaders: [], denyHeaders: ['x'] }).isEmpty).toBe(true);
  expect(new CapturedHeaders({ captureHeaders: ['x'], denyHeaders: [] }).isEmpty).toBe(false);
});

describe('globs', () => {
  test.each([
    ['*', 'x', true],
    ['**', 'x', true],
    ['a*b*c', 'abc', true],
    ['a*b*c', 'aXbXbYc', true],
    ['a*b*c', 'acb', false],
    ['*b', 'aab', true],
    ['*b', 'aba', false],
    ['*ab*', 'aab', true],
    ['a*a', 'a', false],
    ['x\n*', 'x\ny', true],
  ])('%j and %j: %s', (glob, name, expected) => {
    expect(Object.keys(captured({ [name]: 'v' }, [glob]))).toHaveLength(expected ? 1 : 0);
  });
});
