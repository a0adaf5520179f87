/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { TagMap } from '../src';

class CountingMap<K, V> extends Map<K, V> {
  gets = 0;
  walks = 0;

  override get(key: K): V | undefined {
    this.gets++;
    return super.get(key);
  }

  override keys() {
    this.walks++;
    return super.keys();
  }
}

function filled(...tags: number[]): TagMap<string> {
  const map = new TagMap<string>();
  for (const tag of tags) map.set(tag, `v${tag}`);
  return map;
}

function taken(map: TagMap<string>, tag: number): string[] {
  const values: string[] = [];
  const count = map.takeUpTo(tag, (value) => values.push(value));
  expect(count).toBe(values.length);
  return values;
}

describe('values by growing tags', () => {
  test.each<[string, number[], number, string[]]>([
    ['none', [], 5, []],
    ['a tag before all', [3, 4], 2, []],
    ['the first', [3, 4], 3, ['v3']],
    ['a tag in a small gap', [3, 9], 5, ['v3']],
    ['a tag beyond a large gap', [3, 1_000_000, 1_000_001], 1_000_000, ['v3', 'v1000000']],
    ['a tag in a large gap', [3, 1_000_000], 999_999, ['v3']],
    ['all', [3, 4, 1_000_000], Number.POSITIVE_INFINITY, ['v3', 'v4', 'v1000000']],
    ['a tag that was never given out', [3, 4], Number.MAX_SAFE_INTEGER, ['v3', 'v4']],
  ])('taken up to %s, oldest first', (_, tags, tag, expected) => {
    const map = filled(...tags);
    expect(taken(map, tag)).toEqual(expected);
    expect(taken(map, tag)).toEqual([]);
    expect(map.size).toBe(tags.length - expected.length);
  });

  test('are taken, read and deleted one by one', () => {
    const map = filled(1, 2, 3);
    expect([map.take(2), map.take(2), map.get(3)]).toEqual(['v2', undefined, 'v3']);
    map.delete(3);
    expect(map.upTo(3)).toEqual([1]);
    expect(map.size).toBe(1);
  });

  test('that begin anew after all were taken, or cleared, are found', () => {
    const map = filled(1, 2);
    map.take(1);
    map.take(2);
    map.set(500, 'late');
    expect(taken(map, 499)).toEqual([]);
    expect(taken(map, 500)).toEqual(['late']);
    map.set(501, 'later');
    map.clear();
    map.set(502, 'last');
    expect(taken(map, 502)).toEqual(['last']);
  });

  test('that come late are found all the same', () => {
    const map = filled(7, 8);
    expect(taken(map, 7)).toEqual(['v7']);
    map.set(5, 'v5');
    expect(taken(map, 8)).toEqual(['v5', 'v8']);
  });

  test('may be changed by what is done with one of them', () => {
    const map = filled(1, 2, 3);
    const seen: string[] = [];
    map.takeUpTo(3, (value, tag) => {
      seen.push(value);
      map.delete(tag + 1);
    });
    expect(seen).toEqual(['v1', 'v3']);
  });

  test('cost as much to take as there are taken, however many there are and have been', () => {
    const map = new TagMap<object>();
    const looks = new CountingMap<number, object>();
    Object.assign(map, { values: looks });
    for (let tag = 1; tag <= 20_000; tag++) map.set(tag, map);
    for (let tag = 8; tag <= 10_000; tag += 8) map.takeUpTo(tag, () => {});
    for (let tag = 20_000; tag > 19_000; tag--) map.take(tag);
    // A Map's own order begins with all that were deleted, so that to walk it would cost more each time.
    expect([looks.gets, looks.walks, map.size]).toEqual([11_000, 0, 9_000]);
  });
});
