/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type Message, SendMessageBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import {
  type Context,
  context,
  createTraceState,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  trace,
} from '@opentelemetry/api';
import { applyInstrumentation, startTracing, type Tracing } from '@otel-messaging/test-utils';
import { SqsInstrumentation } from '../src';
import { newClient, newQueue, ownAttributes, receive, remove, stringAttributes } from './sqs';

const instrumentation = new SqsInstrumentation();
applyInstrumentation(instrumentation, require);

let tracing: Tracing;
let client: SQSClient;

beforeEach(() => {
  tracing = startTracing([instrumentation]);
  client = newClient();
});

afterEach(async () => {
  client.destroy();
  instrumentation.setConfig({});
  await tracing.stop();
});

const COUNTS = Array.from({ length: 11 }, (_, count) => count);
const MORE = [[], ['tracestate'], ['baggage'], ['tracestate', 'baggage']] as const;

/** What a message with so many attributes of its own is to carry: all, without baggage, `traceparent` alone, nothing. */
function expectedFields(count: number, more: readonly string[]): string[] {
  const free = 10 - count;
  const all = ['traceparent', ...more];
  if (free >= all.length) return all;
  if (free >= 2 && more.includes('tracestate')) return ['traceparent', 'tracestate'];
  return free >= 1 ? ['traceparent'] : [];
}

/** What the counter calls that. */
function expectedKind(count: number, more: readonly string[]): string {
  const fields = expectedFields(count, more);
  if (fields.length === 0) return 'trace_header';
  if (fields.length === more.length + 1) return 'complete';
  return fields.length === 1 ? 'traceparent' : 'without_baggage';
}

/** A context in which a propagator writes these fields beside `traceparent`. */
function contextWith(more: readonly string[]): Context {
  const traceState = more.includes('tracestate') ? createTraceState('vendor=1') : undefined;
  const parent = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1, traceState };
  const base = trace.setSpanContext(ROOT_CONTEXT, parent);
  return more.includes('baggage')
    ? propagation.setBaggage(base, propagation.createBaggage({ tenant: { value: 'a' } }))
    : base;
}

/** Counts by what messages carry. */
async function injections(): Promise<Record<string, number>> {
  const metric = (await tracing.metrics()).find(({ descriptor }) => descriptor.name === 'messaging.message.injections');
  const counts: Record<string, number> = {};
  for (const { attributes, value } of metric?.dataPoints ?? []) {
    const carrier = String(attributes['messaging.message.carrier']);
    counts[carrier] = (counts[carrier] ?? 0) + (value as number);
  }
  return counts;
}

const tick = () => new Promise((resolve) => setImmediate(resolve));
const own = (name: string) => name.startsWith('own-');

/** Sends a message on every step of the ladder; `Body` tells which. */
type Sender = (QueueUrl: string, entries: { Id: string; MessageBody: string; MessageGroupId?: string }[]) => unknown;

const senders: Record<string, Sender> = {
  'one by one': async (QueueUrl, entries) => {
    for (const { Id: _, ...message } of entries) await client.send(new SendMessageCommand({ QueueUrl, ...message }));
  },
  'in batches': async (QueueUrl, entries) => {
    await client.send(new SendMessageBatchCommand({ QueueUrl, Entries: entries.slice(0, 6) }));
    await client.send(new SendMessageBatchCommand({ QueueUrl, Entries: entries.slice(6) }));
  },
};

const queues: Record<string, Record<string, string>> = {
  standard: {},
  FIFO: { FifoQueue: 'true', ContentBasedDeduplication: 'true' },
};

describe.each(Object.keys(queues))('to a %s queue', (kind) => {
  test.each(Object.keys(senders))(
    'a message sent %s carries as much as fits beside 0 to 10 attributes, and its trace goes on in any case',
    async (manner) => {
      const QueueUrl = await newQueue(client, queues[kind]);
      for (const more of MORE) {
        const entries = COUNTS.map((count) => ({
          Id: `m${count}`,
          MessageBody: JSON.stringify({ count, more }),
          MessageAttributes: count === 0 ? undefined : ownAttributes(count),
          ...(kind === 'FIFO' && { MessageGroupId: `${more}-${count}` }),
        }));
        await context.with(contextWith(more), async () => senders[manner]!(QueueUrl, entries));
      }
      const producers = new Set(
        tracing.spans().flatMap((span) => (span.kind === SpanKind.PRODUCER ? [span.spanContext().spanId] : [])),
      );
      expect(producers.size).toBe(44);

      const parents = new Set<string | undefined>();
      const expectedKinds: Record<string, number> = {};
      for (let left = 44; left > 0; ) {
        const messages = await receive(client, QueueUrl, { MessageAttributeNames: ['All'] });
        left -= messages.length;
        for (const message of messages) {
          await tick();
          const { count, more } = JSON.parse(message.Body ?? '');
          const fields = Object.keys(message.MessageAttributes ?? {}).filter((name) => !own(name));
          expect([count, more, fields.sort()]).toEqual([count, more, expectedFields(count, more).sort()]);
          expect(Object.keys(message.MessageAttributes ?? {}).filter(own)).toHaveLength(count);
          expectedKinds[expectedKind(count, more)] = (expectedKinds[expectedKind(count, more)] ?? 0) + 1;
          const hasBaggage = propagation.getActiveBaggage()?.getEntry('tenant')?.value === 'a';
          expect(hasBaggage).toBe(fields.includes('baggage'));
          parents.add((trace.getActiveSpan() as { parentSpanContext?: { spanId: string } })?.parentSpanContext?.spanId);
          await remove(client, QueueUrl, message);
        }
      }
      expect(parents).toEqual(producers);
      expect(await injections()).toEqual(expectedKinds);
    },
    30_000,
  );
});

describe('up to the limit of bytes', () => {
  const MIB = 1_048_576;
  /** `traceparent`, its type and its value. */
  const OURS = 11 + 6 + 55;
  /** `baggage`, its type and `tenant=a`. */
  const BAGGAGE = 7 + 6 + 8;

  const bodies: [string, number, string[], string][] = [
    ['that leaves room for all', MIB - OURS - BAGGAGE, ['baggage', 'traceparent'], 'complete'],
    ['that leaves a byte too little for baggage', MIB - OURS - BAGGAGE + 1, ['traceparent'], 'traceparent'],
    ['that leaves room for traceparent', MIB - OURS, ['traceparent'], 'traceparent'],
    ['that leaves a byte too little', MIB - OURS + 1, [], 'trace_header'],
    ['that is as large as the service takes', MIB, [], 'trace_header'],
    ['that stays within the limit of older queues', 262_144 - OURS, ['traceparent'], 'traceparent'],
    ['that would cross that limit', 262_144 - OURS + 1, [], 'trace_header'],
  ];

  test.each(bodies)('a message %s is taken, and its trace goes on', async (_, bytes, fields, carrier) => {
    const QueueUrl = await newQueue(client);
    await context.with(contextWith(['baggage']), () =>
      client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x'.repeat(bytes) })),
    );
    for (const message of await receive(client, QueueUrl, { MessageAttributeNames: ['All'] })) {
      await tick();
      expect(Object.keys(message.MessageAttributes ?? {}).sort()).toEqual(fields);
    }
    const [send, ...others] = tracing.spans();
    const handled = others.find(({ kind }) => kind === SpanKind.CONSUMER);
    expect(handled?.parentSpanContext?.spanId).toBe(send?.spanContext().spanId);
    expect(await injections()).toEqual({ [carrier]: 1 });
  });

  test('entries of a batch that together are as large as the service takes are all taken', async () => {
    const QueueUrl = await newQueue(client);
    const MessageBody = 'x'.repeat(MIB / 4);
    const Entries = ['a', 'b', 'c', 'd'].map((Id) => ({ Id, MessageBody }));
    const { Successful } = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    expect(Successful).toHaveLength(4);
    expect(await injections()).toEqual({ trace_header: 4 });
  });
});

test('a message forwarded with nine attributes and its old context leaves with ten, and the new context', async () => {
  const QueueUrl = await newQueue(client);
  const next = await newQueue(client);
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one', MessageAttributes: ownAttributes(9) }));
  for (const message of await receive(client, QueueUrl, { MessageAttributeNames: ['All'] })) {
    const { Body: MessageBody, MessageAttributes } = message;
    expect(Object.keys(MessageAttributes ?? {})).toHaveLength(10);
    await client.send(new SendMessageCommand({ QueueUrl: next, MessageBody, MessageAttributes }));
  }
  const [forwarded] = await receive(client, next, { MessageAttributeNames: ['All'] });
  expect(Object.keys(forwarded?.MessageAttributes ?? {})).toHaveLength(10);
  const second = tracing.spans().filter(({ kind }) => kind === SpanKind.PRODUCER)[1];
  expect(forwarded?.MessageAttributes?.['traceparent']?.StringValue).toContain(second?.spanContext().spanId);
  expect(await injections()).toEqual({ complete: 2 });
});

test('a context of the application’s own is not counted, and a message without room is', async () => {
  instrumentation.setConfig({ awsTraceHeader: 'off' });
  const QueueUrl = await newQueue(client);
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  for (const MessageAttributes of [stringAttributes({ traceparent }), ownAttributes(10)]) {
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one', MessageAttributes }));
  }
  expect(await injections()).toEqual({ none: 1 });
  const messages: Message[] = await receive(client, QueueUrl, { MessageAttributeNames: ['All'] });
  expect(messages).toHaveLength(2);
});
