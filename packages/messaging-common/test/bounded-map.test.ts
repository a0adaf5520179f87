/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { BoundedMap } from '../src';

describe('a bounded map', () => {
  const filled = () => {
    const map = new BoundedMap<string, number>(2);
    map.add('a', 1);
    map.add('b', 2);
    return map;
  };

  test('keeps as many entries as it may', () => {
    expect([filled().get('a'), filled().get('b')]).toEqual([1, 2]);
  });

  test('forgets the oldest for one more', () => {
    const map = filled();
    expect(map.add('c', 3)).toBe(3);
    expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([undefined, 2, 3]);
  });

  test('forgets nothing for another value of a key that it has', () => {
    const map = filled();
    map.add('b', 5);
    expect([map.get('a'), map.get('b')]).toEqual([1, 5]);
  });

  test('forgets what it is told to', () => {
    const map = filled();
    map.delete('a');
    expect(map.get('a')).toBeUndefined();
    map.clear();
    expect(map.get('b')).toBeUndefined();
  });
});
