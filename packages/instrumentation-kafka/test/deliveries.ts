/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { trace } from '@opentelemetry/api';
import type { Tracing } from '@otel-messaging/test-utils';

/** What an application saw of its deliveries, to be held against the spans and metrics of them. */
export class Deliveries {
  private readonly seen: { readonly place: string; readonly value: string; readonly traceId?: string }[] = [];

  constructor(private readonly tracing: Tracing) {}

  /** Messages of batches that were delivered, handled or not. */
  private batched: number | undefined;
  private readonly distinct = new Set<string>();

  get count(): number {
    return this.seen.length;
  }

  /** The values that arrived, each once. */
  get values(): ReadonlySet<string> {
    return this.distinct;
  }

  /** To be called by a handler of batches, which gets them whole. */
  noteBatch(messages: readonly unknown[]): void {
    this.batched = (this.batched ?? 0) + messages.length;
  }

  /** To be called by the handler of a message. */
  note(partition: number, message: { readonly offset: string; readonly value: Buffer | null }): void {
    const { traceId } = trace.getActiveSpan()?.spanContext() ?? {};
    this.distinct.add(String(message.value));
    this.seen.push({ place: `${partition}/${message.offset}`, value: String(message.value), traceId });
  }

  /** What is wrong with how the deliveries were recorded: nothing, if each has one span in its producer's trace. */
  async problems(): Promise<string[]> {
    const problems: string[] = [];
    const { tracing, seen } = this;
    if (tracing.openSpans !== 0) problems.push(`${tracing.openSpans} spans have not ended`);
    const spans = tracing.spans();
    const producers = new Map(spans.map((span) => [span.spanContext().spanId, span]));
    const byPlace = new Map<string, number>();
    for (const { attributes, parentSpanContext } of spans) {
      if (attributes['messaging.operation.type'] !== 'process' || attributes['kafka.offset'] === undefined) continue;
      const place = `${attributes['messaging.destination.partition.id']}/${attributes['kafka.offset']}`;
      byPlace.set(place, (byPlace.get(place) ?? 0) + 1);
      const producer = producers.get(parentSpanContext?.spanId ?? '');
      if (!/^(send|create) /.test(producer?.name ?? '')) problems.push(`${place} is below no producer`);
    }
    const deliveredTo = new Map<string, number>();
    for (const { place, traceId } of seen) {
      deliveredTo.set(place, (deliveredTo.get(place) ?? 0) + 1);
      if (traceId === undefined) problems.push(`${place} was handled in no trace`);
    }
    for (const place of new Set([...byPlace.keys(), ...deliveredTo.keys()])) {
      const [recorded, delivered] = [byPlace.get(place) ?? 0, deliveredTo.get(place) ?? 0];
      if (recorded !== delivered) problems.push(`${place} was delivered ${delivered} times and has ${recorded} spans`);
    }
    const traces = new Map<string, string | undefined>();
    for (const { value, traceId } of seen) {
      if (traces.has(value) && traces.get(value) !== traceId) problems.push(`${value} was handled in several traces`);
      traces.set(value, traceId);
    }
    const counts = {
      'messaging.client.consumed.messages': this.batched ?? seen.length,
      'messaging.process.duration': seen.length,
    };
    for (const [name, expected] of Object.entries(counts)) {
      const counted = await this.total(name);
      if (counted !== expected) problems.push(`${name} counts ${counted} of ${expected}`);
    }
    return problems;
  }

  private async total(name: string): Promise<number> {
    const metric = (await this.tracing.metrics()).find(({ descriptor }) => descriptor.name === name);
    let total = 0;
    for (const { value } of metric?.dataPoints ?? []) total += typeof value === 'number' ? value : value.count;
    return total;
  }
}
