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
  private from = 1;
  private newest = 0;

  get size(): number {
    return this.values.size;
  }

  set(tag: number, value: V): void {
    if (tag > this.newest) this.newest = tag;
    else if (tag < this.from) this.from = tag;
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
    if (this.isDense(last)) {
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
    const last = Math.min(tag, this.newest);
    const { from } = this;
    let count = 0;
    if (this.isDense(last)) {
      if (last >= from) this.from = last + 1;
      for (let one = from; one <= last; one++) if (this.hand(one, use)) count++;
      return count;
    }
    const tags = this.upTo(last);
    this.from = last + 1;
    for (const one of tags) if (this.hand(one, use)) count++;
    return count;
  }

  /** Whether trying every tag up to this one costs no more than to walk over what is there. */
  private isDense(last: number): boolean {
    return last - this.from <= this.values.size + SMALL_GAP;
  }

  private hand(tag: number, use: (value: V, tag: number) => void): boolean {
    const value = this.take(tag);
    if (value === undefined) return false;
    use(value, tag);
    return true;
  }

  clear(): void {
    this.values.clear();
    this.from = this.newest + 1;
  }
}
