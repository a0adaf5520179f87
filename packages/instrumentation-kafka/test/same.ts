/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type CallOutcome, outcomeOf, type Tracing } from '@otel-messaging/test-utils';
import type { KafkaMessage } from 'kafkajs';
import type { KafkaInstrumentation } from '../src';
import { storedAs } from './odd-records';

/** What a call comes to with instrumentation; fails where it comes to something else without. */
export async function sameOutcome(instrumentation: KafkaInstrumentation, call: () => unknown): Promise<CallOutcome> {
  const observed = await outcomeOf(call);
  instrumentation.disable();
  const plain = await outcomeOf(call);
  instrumentation.enable();
  expect(observed).toEqual(plain);
  return observed;
}

/** What many calls, one for each seed, came to. */
interface Results {
  readonly seen: readonly unknown[];
  readonly delivered: readonly unknown[];
}

/** Fails unless calls were the same with instrumentation as without, enough of them sent something, and were traced. */
export function expectSame(withUs: Results, without: Results, tracing: Tracing): void {
  const { length } = without.seen;
  for (let seed = 0; seed < length; seed++) expect(withUs.seen[seed]).toEqual(without.seen[seed]);
  expect(withUs).toEqual(without);
  expect(without.delivered.length).toBeGreaterThan(length / 3);
  expect(tracing.spans().length).toBeGreaterThan(length / 3);
  expect(tracing.openSpans).toBe(0);
}

/** A cluster of test clients, of whichever client. */
interface Runs {
  // biome-ignore lint/suspicious/noExplicitAny: what the clients' types differ in
  run(topics: string[], config: any, isEnough: () => boolean): Promise<unknown>;
}

/** All that the broker has, as text and without the context that instrumentation writes, up to a message that says `the end`. */
export async function delivered(cluster: Runs, topic: string): Promise<unknown[]> {
  const all: KafkaMessage[] = [];
  const isAtEnd = () => String(all[all.length - 1]?.value) === 'the end';
  const eachMessage = async ({ message }: { message: KafkaMessage }) => void all.push(message);
  await cluster.run([topic], { eachMessage }, isAtEnd);
  return all.map(storedAs);
}
