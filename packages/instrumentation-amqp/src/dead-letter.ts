/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { AmqpMessage } from './amqplib';

/** These headers come from the wire: RabbitMQ writes an entry for each queue and reason, anybody else whatever they like. */
const MAX_DEATHS = 100;
const MAX_COUNT = 1_000_000;

export interface DeadLetter {
  /** The queue that the message died in. */
  readonly source: string;
  readonly reason?: string;
}

/** What a message went through before this delivery. */
export interface History {
  /**
   * Deliveries before this one: those that ended in a dead-letter exchange, on any queue, and those that ended with a
   * return to this queue. A message that went through a retry queue died twice per attempt, once rejected by its handler
   * and once expired in the retry queue; only the former was a delivery.
   */
  readonly deliveries: number;
  /**
   * Where and why the message died, if it was dead-lettered to the queue it is consumed from. Absent for a message that
   * came back to a queue it died in, by way of a retry queue: it is alive there.
   */
  readonly deadLetter?: DeadLetter;
}

const FIRST_DELIVERY: History = { deliveries: 0 };
const RETURNED_ONCE: History = { deliveries: 1 };

interface Death {
  readonly queue: string;
  readonly reason?: string;
  readonly count: number;
}

/** @param queue that the message was delivered from; empty if it is not known */
export function historyOf({ fields, properties }: AmqpMessage, queue: string): History {
  const headers = properties?.headers as Readonly<Record<string, unknown>> | null | undefined;
  // Quorum queues count returns; others say no more than that it was not the first time.
  const returned = fields?.redelivered === true ? RETURNED_ONCE : FIRST_DELIVERY;
  if (typeof headers !== 'object' || headers === null || !hasHistory(headers)) return returned;
  const deaths = deathsOf(headers['x-death']);
  const died = deaths.reduce((sum, { reason, count }) => (wasDelivered(reason) ? sum + count : sum), 0);
  return {
    deliveries: died + Math.max(returned.deliveries, countOf(headers['x-delivery-count'])),
    deadLetter: deadLetterOf(deaths, headers, queue),
  };
}

/** At a delivery limit there were more of them than one; how many, the broker does not tell. */
function wasDelivered(reason: string | undefined): boolean {
  return reason === 'rejected' || reason === 'delivery_limit';
}

function hasHistory(headers: object): boolean {
  return 'x-death' in headers || 'x-delivery-count' in headers || 'x-first-death-queue' in headers;
}

function deadLetterOf(
  deaths: readonly Death[],
  headers: Readonly<Record<string, unknown>>,
  queue: string,
): DeadLetter | undefined {
  if (deaths.some((death) => death.queue === queue)) return undefined;
  // Time spent in a retry queue is no death to speak of, if there was another.
  const latest = deaths.find(({ reason }) => reason !== 'expired') ?? deaths[0];
  if (latest !== undefined) return { source: latest.queue, reason: latest.reason };
  const source = wordOf(headers['x-first-death-queue']);
  if (source === undefined || source === queue) return undefined;
  return { source, reason: wordOf(headers['x-first-death-reason']) };
}

/** The entries of `x-death` that make sense, latest first as RabbitMQ writes them. */
function deathsOf(value: unknown): Death[] {
  if (!Array.isArray(value)) return [];
  const deaths: Death[] = [];
  for (const entry of value.slice(0, MAX_DEATHS)) {
    if (typeof entry !== 'object' || entry === null) continue;
    const queue = wordOf(entry.queue);
    if (queue !== undefined) deaths.push({ queue, reason: wordOf(entry.reason), count: countOf(entry.count) });
  }
  return deaths;
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? Math.min(value, MAX_COUNT) : 0;
}

/** Queue names have at most 255 bytes. */
function wordOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.length > 0 && value.length <= 255 ? value : undefined;
}
