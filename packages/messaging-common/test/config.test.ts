/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type MessagingInstrumentationConfig, resolveConfig } from '../src/config';

const resolved = (config: object, env: NodeJS.ProcessEnv = {}) =>
  resolveConfig(config as MessagingInstrumentationConfig, { settleSpans: false }, env);

test('every option has its default', () => {
  expect(resolved({})).toEqual({
    semconv: 'new',
    processParent: 'creation',
    batchCreateSpans: true,
    maxCreateSpansPerBatch: 128,
    perMessageSpans: true,
    emptyReceiveSpans: false,
    settleSpans: false,
    captureHeaders: [],
    denyHeaders: [],
    captureBodySize: false,
    trustIncoming: true,
    exceptionSignal: 'span-event',
    destinationTemplate: undefined,
    spanHook: undefined,
  });
});

test('settle spans are on where settling is a request', () => {
  expect(resolveConfig({}, { settleSpans: true }, {}).settleSpans).toBe(true);
  expect(resolveConfig({ settleSpans: false }, { settleSpans: true }, {}).settleSpans).toBe(false);
});

describe('a value of the wrong type counts as absent', () => {
  test.each<[keyof MessagingInstrumentationConfig, unknown]>([
    ['semconv', 'old'],
    ['processParent', 'sibling'],
    ['batchCreateSpans', 'no'],
    ['maxCreateSpansPerBatch', '5'],
    ['maxCreateSpansPerBatch', -1],
    ['maxCreateSpansPerBatch', Number.NaN],
    ['perMessageSpans', 0],
    ['settleSpans', null],
    ['captureHeaders', 'x-*'],
    ['denyHeaders', {}],
    ['captureBodySize', 1],
    ['trustIncoming', 'never'],
    ['exceptionSignal', 'file'],
    ['destinationTemplate', 'orders'],
    ['spanHook', {}],
  ])('%s: %j', (option, value) => {
    expect(resolved({ [option]: value })).toEqual(resolved({}));
  });
});

describe('OTEL_SEMCONV_STABILITY_OPT_IN', () => {
  test.each([
    [undefined, 'new'],
    ['', 'new'],
    ['messaging', 'new'],
    ['messaging/dup', 'dup'],
    ['http, Messaging/Dup ,db', 'dup'],
    ['messaging/dups', 'new'],
    ['database/dup', 'new'],
  ])('%j: %s', (value, expected) => {
    expect(resolved({}, { OTEL_SEMCONV_STABILITY_OPT_IN: value }).semconv).toBe(expected);
  });

  test('the option wins', () => {
    expect(resolved({ semconv: 'new' }, { OTEL_SEMCONV_STABILITY_OPT_IN: 'messaging/dup' }).semconv).toBe('new');
  });
});

describe('OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN', () => {
  test.each([
    [undefined, 'span-event'],
    ['logs', 'log'],
    ['logs/dup', 'log-and-span-event'],
    ['logs,logs/dup', 'log-and-span-event'],
    ['spans', 'span-event'],
  ])('%j: %s', (value, expected) => {
    expect(resolved({}, { OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN: value }).exceptionSignal).toBe(expected);
  });
});
