/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { BatchProcessOperation } from '@otel-messaging/messaging-common';
import type { KafkaMessage } from '../src/message';
import { Resolutions } from '../src/resolutions';

/** What is told of a batch with messages at these offsets while its handler resolves others. */
function told(offsets: readonly string[], resolved: readonly unknown[]): string[] {
  const calls: string[] = [];
  const resolve = ({ offset }: KafkaMessage, areSeveral: boolean) =>
    void calls.push(areSeveral ? `up to ${offset}` : `${offset}`);
  const messages = offsets.map((offset) => ({ offset }));
  const resolutions = new Resolutions({ resolve } as unknown as BatchProcessOperation, messages);
  messages.length = 0; // the application takes them out
  for (const offset of resolved) resolutions.note(offset);
  return calls;
}

// With the gaps that compaction and the marks of transactions leave.
const OFFSETS = ['9', '10', '12', '99', '100', '1000000000000000000', '1000000000000000001'];

test.each<[string, readonly unknown[], string[]]>([
  ['one after the other', OFFSETS, OFFSETS],
  ['several at once', ['12', '99'], ['up to 12', '99']],
  ['all at once', ['1000000000000000001'], ['up to 1000000000000000001']],
  ['one again, and one of before', ['9', '10', '10', '9', '12'], ['9', '10', '10', '9', '12']],
  ['none of the batch', ['11', '8', '1000000000000000002', '', 'x', undefined], []],
  ['a number', [9], ['9']],
])('%s', (_, resolved, expected) => {
  expect(told(OFFSETS, resolved)).toEqual(expected);
});

test('of an empty batch nothing is told', () => {
  expect(told([], ['0'])).toEqual([]);
});
