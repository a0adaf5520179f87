/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { formatTraceparent, parseTraceparent } from '../src/traceparent';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

test.each([
  [0, '00'],
  [1, '01'],
  [2, '02'],
])('flags %d are written as %s', (traceFlags, text) => {
  expect(formatTraceparent({ traceId: TRACE, spanId: SPAN, traceFlags })).toBe(`00-${TRACE}-${SPAN}-${text}`);
});

test.each([
  ['01', 1],
  ['00', 0],
  ['ff', 255],
  ['0a', 10],
])('flags %s are read as %d', (text, traceFlags) => {
  expect(parseTraceparent(`00-${TRACE}-${SPAN}-${text}`)).toEqual({
    traceId: TRACE,
    spanId: SPAN,
    traceFlags,
    isRemote: true,
  });
});

test.each([
  ['empty', ''],
  ['too short', `00-${TRACE}-${SPAN}-0`],
  ['too long', `00-${TRACE}-${SPAN}-01-`],
  ['another version', `01-${TRACE}-${SPAN}-01`],
  ['version ff', `ff-${TRACE}-${SPAN}-01`],
  ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ['upper case in the span id', `00-${TRACE}-${SPAN.toUpperCase()}-01`],
  ['upper case in the flags', `00-${TRACE}-${SPAN}-0A`],
  ['no hexadecimal digit', `00-${TRACE.slice(0, 31)}g-${SPAN}-01`],
  ['the character before 0', `00-${TRACE.slice(0, 31)}/-${SPAN}-01`],
  ['the character after 9', `00-${TRACE.slice(0, 31)}:-${SPAN}-01`],
  ['the character before a', `00-${TRACE.slice(0, 31)}\`-${SPAN}-01`],
  ['no trace', `00-${'0'.repeat(32)}-${SPAN}-01`],
  ['no span', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['other separators', `00_${TRACE}-${SPAN}-01`],
  ['another second separator', `00-${TRACE}_${SPAN}-01`],
  ['another third separator', `00-${TRACE}-${SPAN}_01`],
  ['space around', ` 00-${TRACE}-${SPAN}-0`],
])('%s is not read', (_, text) => {
  expect(parseTraceparent(text)).toBeUndefined();
});
