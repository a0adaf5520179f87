/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

/** Gaps between tags that cost no more than to look at another entry. */
const SMALL_GAP = 64;

/**
 * Values by tags that only grow, as brokers number the messages of a channel. To take all up to a tag costs no more than
 * what is taken: a Map walks over all that was ever deleted from its start, which makes it quadratic.
 */
export class TagMap<V> {
  private readonly values = new Map<number, V>();
  /** No tag below is there. */
  private from = 0;
  private newest = 0;

  get size(): number {
    return this.values.size;
  }

  set(tag: number, value: V): void {
    if (this.values.size === 0 || tag < this.from) this.from = tag;
    if (tag > this.newest) this.newest = tag;
    this.values.set(tag, value);
  }

  get(tag: number): V | undefined {
    return this.values.get(tag);
  }

  delete(tag: number): void {
    this.values.delete(tag);
  }

  take(tag: number): V | undefined {
    const value = this.values.get(tag);
    if (value !== undefined) this.values.delete(tag);
    return value;
  }

  /** The tags up to this one, oldest first. */
  upTo(tag: number): number[] {
    const last = Math.min(tag, this.newest);
    const tags: number[] = [];
    if (last - this.from <= this.values.size + SMALL_GAP) {
      for (let one = this.from; one <= last; one++) if (this.values.has(one)) tags.push(one);
    } else {
      for (const one of this.values.keys()) {
        if (one > last) break;
        tags.push(one);
      }
    }
    return tags;
  }

  /** Hands out all up to a tag, oldest first, each removed before; how many there were. */
  takeUpTo(tag: number, use: (value: V, tag: number) => void): number {
    const tags = this.upTo(tag);
    if (tag >= this.from) this.from = Math.min(tag, this.newest) + 1;
    let count = 0;
    for (const one of tags) {
      const value = this.take(one);
      if (value === undefined) continue; // by what was done with one before
      count++;
      use(value, one);
    }
    return count;
  }

  clear(): void {
    this.values.clear();
  }
}
