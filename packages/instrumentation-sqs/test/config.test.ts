/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { resolveOptions } from '../src/config';

const DEFAULTS = {
  awsTraceHeader: 'always',
  xrayUnsampled: 'link',
  awsRpcAttributes: true,
  captureQueueUrl: true,
  maxMessageBytes: 1_048_576,
  maxEnvelopeLength: 262_144,
  suppressHttpSpans: false,
  followIndex: false,
  lambdaFlushMs: 2000,
};

afterEach(() => {
  delete process.env['OTEL_MESSAGING_FLUSH_TIMEOUT'];
});

test('without options the defaults are in force', () => {
  expect(resolveOptions({})).toEqual(DEFAULTS);
});

test('values of a wrong type count as absent', () => {
  for (const value of ['false', 'yes', 0, 1, null, {}, [], -1, Number.NaN]) {
    const all = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, value]));
    const { maxMessageBytes, maxEnvelopeLength, lambdaFlushMs, ...rest } = resolveOptions(all);
    const { maxMessageBytes: _, maxEnvelopeLength: __, lambdaFlushMs: ___, ...expected } = DEFAULTS;
    expect({ value, ...rest }).toEqual({ value, ...expected });
    const isCount = value === 0 || value === 1;
    expect([maxMessageBytes, maxEnvelopeLength, lambdaFlushMs]).toEqual(
      isCount ? [value, value, value] : [1_048_576, 262_144, 2000],
    );
  }
});

test('values of the right type are taken', () => {
  const given = {
    awsTraceHeader: 'off',
    xrayUnsampled: 'parent',
    awsRpcAttributes: false,
    captureQueueUrl: false,
    maxMessageBytes: 1000,
    maxEnvelopeLength: 0,
    suppressHttpSpans: true,
    followIndex: true,
    lambdaFlushMs: 0,
  } as const;
  expect(resolveOptions(given)).toEqual(given);
});

test.each([
  ['500', 500],
  ['0', 0],
  ['', 2000],
  ['soon', 2000],
])("OTEL_MESSAGING_FLUSH_TIMEOUT '%s' makes the time for a Lambda function's export %d ms", (text, milliseconds) => {
  process.env['OTEL_MESSAGING_FLUSH_TIMEOUT'] = text;
  expect(resolveOptions({}).lambdaFlushMs).toBe(milliseconds);
  expect(resolveOptions({ lambdaFlushMs: 7 }).lambdaFlushMs).toBe(7);
});
