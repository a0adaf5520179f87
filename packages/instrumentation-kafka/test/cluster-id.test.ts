/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { ClusterId } from '../src/cluster-id';

test('is the first that is found, also when the client has forgotten it', () => {
  const found = [undefined, 'a', undefined, 'b'];
  const id = new ClusterId(() => found.shift());
  expect([id.get(), id.get(), id.get(), id.get()]).toEqual([undefined, 'a', 'a', 'a']);
});

test.each<[string, () => unknown]>([
  ['null, as brokers may answer', () => null],
  ['empty', () => ''],
  ['no text', () => 7],
  ['not to be had', () => (undefined as unknown as { id: string }).id],
])('is not known where it is %s', (_, read) => {
  expect(new ClusterId(read).get()).toBeUndefined();
});
