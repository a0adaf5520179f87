/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { historyOf } from '../src/dead-letter';

const WORK_REJECTED = { queue: 'work', reason: 'rejected', count: 2, exchange: '', 'routing-keys': ['work'] };
const RETRY_EXPIRED = { queue: 'retry', reason: 'expired', count: 2 };

function history(queue: string, headers: unknown, redelivered = false) {
  return historyOf({ fields: { redelivered }, properties: { headers } }, queue);
}

test.each([
  ['the first delivery', 'work', {}, false, 0, undefined],
  ['a return to a classic queue', 'work', {}, true, 1, undefined],
  ['the third delivery of a quorum queue', 'work', { 'x-delivery-count': 2 }, true, 2, undefined],
  ['back from a retry queue', 'work', { 'x-death': [RETRY_EXPIRED, WORK_REJECTED] }, false, 2, undefined],
  ['back, and returned once more', 'work', { 'x-death': [RETRY_EXPIRED, WORK_REJECTED] }, true, 3, undefined],
  ['dead', 'dead', { 'x-death': [WORK_REJECTED, RETRY_EXPIRED] }, false, 2, { source: 'work', reason: 'rejected' }],
  [
    'passed on',
    'dead',
    { 'x-death': [RETRY_EXPIRED, WORK_REJECTED] },
    false,
    2,
    { source: 'work', reason: 'rejected' },
  ],
  ['expired unseen', 'dead', { 'x-death': [RETRY_EXPIRED] }, false, 0, { source: 'retry', reason: 'expired' }],
  [
    'told by the first death alone',
    'dead',
    { 'x-first-death-queue': 'work', 'x-first-death-reason': 'maxlen' },
    false,
    0,
    { source: 'work', reason: 'maxlen' },
  ],
])('%s', (_, queue, headers, redelivered, deliveries, deadLetter) => {
  const { deliveries: found, deadLetter: died } = history(queue, headers, redelivered);
  expect([found, died]).toEqual([deliveries, deadLetter]);
});

test.each([
  ['no table', 'text'],
  ['null', null],
  ['deaths that are text', { 'x-death': 'rejected' }],
  ['deaths that are a table', { 'x-death': { 0: WORK_REJECTED } }],
  ['deaths of nothing', { 'x-death': [null, 5, 'x', [], {}, { queue: 5 }, { queue: '' }, { queue: 'x'.repeat(256) }] }],
  ['a negative delivery count', { 'x-delivery-count': -1 }],
  ['a fractional delivery count', { 'x-delivery-count': 0.5 }],
  ['a first death without a name', { 'x-first-death-queue': Buffer.from('work') }],
])('garbage from the wire: %s', (_, headers) => {
  expect(history('work', headers)).toEqual({ deliveries: 0 });
});

test('counts are bounded, each by itself and all together', () => {
  const deaths = Array.from({ length: 100_000 }, () => ({ ...WORK_REJECTED, count: Number.MAX_SAFE_INTEGER }));
  expect(history('dead', { 'x-death': deaths }).deliveries).toBe(100 * 1_000_000);
});
