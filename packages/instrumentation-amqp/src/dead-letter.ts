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

interface Death {
  readonly queue: string;
  readonly reason?: string;
  readonly count: number;
}

/**
 * Deliveries of a message before this one: those that ended in a dead-letter exchange, on any queue, and those that
 * ended with a return to this queue. A message that went through a retry queue died twice per attempt, once rejected by
 * its handler and once expired in the retry queue; only the former was a delivery.
 */
export function deliveriesBefore(message: AmqpMessage): number {
  const headers = headersOf(message);
  const deaths = headers === undefined ? [] : deathsOf(headers['x-death']);
  const rejected = deaths.reduce((sum, { reason, count }) => (reason === 'rejected' ? sum + count : sum), 0);
  // Quorum queues count; others say no more than that it was not the first time.
  const returned = Math.max(countOf(headers?.['x-delivery-count']), message.fields?.redelivered === true ? 1 : 0);
  return rejected + returned;
}

/**
 * Where and why a message died that was dead-lettered to the queue it is consumed from. Undefined for a message that
 * came back to a queue it died in, by way of a retry queue: it is alive there.
 */
export function deadLetterOf(message: AmqpMessage, queue: string): DeadLetter | undefined {
  const headers = headersOf(message);
  if (headers === undefined) return undefined;
  const deaths = deathsOf(headers['x-death']);
  if (deaths.some((death) => death.queue === queue)) return undefined;
  const [latest] = deaths;
  if (latest !== undefined) return { source: latest.queue, reason: latest.reason };
  const source = wordOf(headers['x-first-death-queue']);
  if (source === undefined || source === queue) return undefined;
  return { source, reason: wordOf(headers['x-first-death-reason']) };
}

function headersOf(message: AmqpMessage): Readonly<Record<string, unknown>> | undefined {
  const headers = message.properties?.headers;
  return typeof headers === 'object' && headers !== null ? (headers as Record<string, unknown>) : undefined;
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
