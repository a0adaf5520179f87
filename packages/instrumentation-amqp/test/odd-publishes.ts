/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Random } from '@otel-messaging/test-utils';
import type { GetMessage } from 'amqplib';

export function content(random: Random): unknown {
  return random.pick([Buffer.from('text'), Buffer.alloc(0), Buffer.alloc(5000, 'x')]);
}

/** Options of a publish, most of them valid, some at the limits of the encoder. */
export function options(random: Random): unknown {
  const all: Record<string, unknown> = {
    headers: headers(random),
    persistent: true,
    mandatory: true,
    messageId: 'id',
    correlationId: 'conversation',
    timestamp: 1_700_000_000,
    expiration: 60_000,
    CC: ['another'],
    BCC: 'a third',
    priority: 3,
    contentType: 'text/plain',
    type: 't'.repeat(255),
  };
  const some = Object.entries(all).filter(([name]) => random.isOneIn(name === 'headers' ? 1 : 4));
  return random.isOneIn(8) ? undefined : Object.fromEntries(some);
}

function headers(random: Random): unknown {
  const limit = 65_536 - 4 - 6;
  return random.pick([
    undefined,
    {},
    { text: 'value', number: 7, large: 2 ** 40, fraction: 0.5, flag: true, nothing: null, list: [1, 'two', [3]] },
    { table: { inner: { deep: 'value' } }, at: { '!': 'timestamp', value: 5 }, bytes: Buffer.from('b') },
    { '!': 'odd', value: 1 },
    { Baggage: 'own=1', 'x-death': 'no list', 'x-delivery-count': -1 },
    { traceparent: () => 'called', tracestate: 'a=b' },
    { Traceparent: 7n },
    { tracestate: { nested: Symbol('no value') } },
    {
      'x-death': [null, [], { queue: 7, count: Number.NaN }, 'text'],
      'x-first-death-queue': [],
      'x-delivery-count': 'x',
    },
    Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`header-${i}`, i])),
    { [`${'n'.repeat(255)}`]: 'long name' },
    { [`${'n'.repeat(256)}`]: 'too long a name' },
    { own: 'x'.repeat(limit - 5) },
    { own: 'x'.repeat(limit - 2) },
    { own: 'x'.repeat(limit - 100) },
    { own: 'é'.repeat(limit / 2 - 36) },
  ]);
}

/** A delivered message without the context that instrumentation adds. */
export function textOf({ fields, properties, content: body }: GetMessage) {
  const own = { ...properties.headers };
  for (const name of ['traceparent', 'tracestate']) delete own[name];
  const { exchange, routingKey, redelivered } = fields;
  return { exchange, routingKey, redelivered, properties: { ...properties, headers: own }, body: body.toString('hex') };
}
