/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { randomBytes } from 'node:crypto';
import { formatTraceHeader, parseTraceHeader } from '../src/x-ray';

const traceId = '5759e988bd862e3fe1be46a994272793';
const spanId = '53995c3f42cd8ad8';
const HEADER = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';

test.each([
  [1, HEADER],
  [0, HEADER.replace(/1$/, '0')],
  [3, HEADER], // sampled, with a random trace id
])('formats flags %i', (traceFlags, header) => {
  expect(formatTraceHeader({ traceId, spanId, traceFlags })).toBe(header);
});

const sampled = { traceId, spanId, traceFlags: 1, isRemote: true };
const notSampled = { ...sampled, traceFlags: 0 };

test.each([
  ['what it formats', HEADER, sampled],
  ['a header that is not sampled', HEADER.replace(/1$/, '0'), notSampled],
  ['a decision put off', HEADER.replace(/1$/, '?'), notSampled],
  ['no word about sampling', HEADER.replace(';Sampled=1', ''), notSampled],
  [
    'fields in another order, spaces and capitals',
    ' Sampled=1 ; PARENT=53995C3F42CD8AD8 ; root=1-5759E988-bd862e3fe1be46a994272793 ',
    sampled,
  ],
  ['fields of others', `Self=1-5759e988-bd862e3fe1be46a994272793;${HEADER};Lineage=1:a87bd80c:0;`, sampled],
])('parses %s', (_, header, expected) => {
  expect(parseTraceHeader(header)).toEqual(expected);
});

test.each([
  ['nothing', ''],
  ['no parent', 'Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1'],
  ['no root', 'Parent=53995c3f42cd8ad8;Sampled=1'],
  ['another version', HEADER.replace('1-', '2-')],
  ['a root too short', HEADER.replace('5759e988', '5759e98')],
  ['a root that is no hex', HEADER.replace('5759e988', '5759e98g')],
  ['zeros', 'Root=1-00000000-000000000000000000000000;Parent=53995c3f42cd8ad8'],
  ['a parent of zeros', 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=0000000000000000'],
  ['text without structure', ';;=;Root;Parent'],
  ['a text of a megabyte', `${HEADER};${'x'.repeat(1_000_000)}`],
])('refuses %s', (_, header) => {
  expect(parseTraceHeader(header)).toBeUndefined();
});

test('any W3C trace id makes the way there and back, also one without a time in it', () => {
  for (let i = 0; i < 200; i++) {
    const context = {
      traceId: randomBytes(16).toString('hex'),
      spanId: randomBytes(8).toString('hex'),
      traceFlags: i % 2,
    };
    expect(parseTraceHeader(formatTraceHeader(context))).toEqual({ ...context, isRemote: true });
  }
});
