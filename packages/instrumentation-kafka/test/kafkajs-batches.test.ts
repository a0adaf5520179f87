/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { eventually, type Tracing, traceText } from '@otel-messaging/test-utils';
import type { EachBatchPayload, KafkaMessage } from 'kafkajs';
import { forEachTest, PaymentFailed } from './kafka';

let tracing: Tracing;
let topic: string;
const { instrumentation, cluster } = forEachTest((own) => {
  ({ tracing, topic } = own);
});

const tick = () => new Promise((resolve) => setImmediate(resolve));
const work = () => tracing.inSpan('work', tick);
const text = (attributes: string[] = []) =>
  traceText(tracing.spans(), { attributes, rename: (name) => name.replaceAll(topic, 'orders') });

async function sendTwo(): Promise<void> {
  const producer = await cluster.producer();
  await producer.send({ topic, messages: [{ value: '1' }, { value: '2' }] });
}

/** Runs a consumer until its handler has been entered `count` times. */
async function run(handler: (payload: EachBatchPayload, entry: number) => unknown, count = 1): Promise<void> {
  let entries = 0;
  const eachBatch = (payload: EachBatchPayload) => handler(payload, ++entries) as Promise<void>;
  await cluster.run([topic], { eachBatch }, () => entries >= count);
}

const EACH_IN_ITS_OWN_TRACE = [
  'create orders PRODUCER',
  '└─ process orders CONSUMER  → create orders, process orders',
  '   └─ work INTERNAL',
  'create orders PRODUCER',
  '└─ process orders CONSUMER  → create orders, process orders',
  '   └─ work INTERNAL',
  'send orders CLIENT {messaging.batch.message_count=2}  → create orders, create orders',
  'process orders CONSUMER {messaging.batch.message_count=2}  → create orders, create orders',
].join('\n');

const walks: Record<string, (messages: KafkaMessage[]) => unknown> = {
  'for…of': async (messages) => {
    for (const _ of messages) await work();
  },
  'for await…of': async (messages) => {
    for await (const _ of messages) await work();
  },
  'entries()': async (messages) => {
    for (const _ of messages.entries()) await work();
  },
  'map and Promise.all': (messages) => Promise.all(messages.map(work)),
  forEach: async (messages) => {
    messages.forEach(work);
    await tick();
    await tick();
  },
};

test.each(Object.entries(walks))('%s: each message is handled in its own trace', async (_, walk) => {
  await sendTwo();
  await run(({ batch }) => walk(batch.messages));
  await eventually('all spans', () => tracing.openSpans === 0);
  expect(text(['messaging.batch.message_count'])).toBe(EACH_IN_ITS_OWN_TRACE);
});

test('merely reading makes no spans of messages', async () => {
  await sendTwo();
  let values: string[] = [];
  await run(async ({ batch }) => {
    values = batch.messages.map(({ value }) => String(value));
    await work();
  });
  expect(values).toEqual(['1', '2']);
  expect(text()).toBe(
    [
      'create orders PRODUCER',
      'create orders PRODUCER',
      'send orders CLIENT  → create orders, create orders',
      'process orders CONSUMER  → create orders, create orders',
      '└─ work INTERNAL',
    ].join('\n'),
  );
});

test('C9: baggage is that of the message', async () => {
  const producer = await cluster.producer();
  for (const tenant of ['a', 'b']) {
    const baggage = propagation.createBaggage({ tenant: { value: tenant } });
    await context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), () =>
      producer.send({ topic, messages: [{ value: tenant }] }),
    );
  }
  const seen: string[] = [];
  const eachBatch = async ({ batch }: EachBatchPayload) => {
    for (const { value } of batch.messages) {
      await tick();
      seen.push(`${value}: ${propagation.getActiveBaggage()?.getEntry('tenant')?.value}`);
    }
  };
  await cluster.run([topic], { eachBatch }, () => seen.length === 2);
  expect(seen).toEqual(['a: a', 'b: b']);
});

test("a context of the application's own is followed", async () => {
  const producer = await cluster.producer();
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await producer.send({ topic, messages: [{ value: '1', headers: { traceparent } }, { value: '2' }] });
  await run(async ({ batch }) => {
    for (const _ of batch.messages) await tick();
  });
  const parents = tracing
    .spans()
    .filter(({ attributes }) => attributes['kafka.offset'] !== undefined)
    .map(({ parentSpanContext }) => parentSpanContext?.spanId);
  const [created] = tracing.spans().filter(({ name }) => name.startsWith('create'));
  expect(parents).toEqual(['b7ad6b7169203331', created?.spanContext().spanId]);
});

test('S10: the durations of messages are their own, and each is recorded once', async () => {
  await sendTwo();
  await run(async ({ batch }) => {
    for (const _ of batch.messages) await new Promise((resolve) => setTimeout(resolve, 30));
  });
  const [first, second, whole] = tracing
    .spans()
    .filter(({ kind, name }) => kind === 4 && name.startsWith('process'))
    .map(({ duration }) => duration[0] * 1000 + duration[1] / 1e6)
    .sort((a, b) => a - b) as [number, number, number];
  expect(second).toBeLessThan(whole - 20);
  expect(first + second).toBeLessThanOrEqual(whole + 1);
  const metrics = await tracing.metrics();
  const durations = metrics.find(({ descriptor }) => descriptor.name === 'messaging.process.duration');
  expect(durations?.dataPoints).toMatchObject([{ value: { count: 2 } }]);
  const consumed = metrics.find(({ descriptor }) => descriptor.name === 'messaging.client.consumed.messages');
  expect(consumed?.dataPoints).toMatchObject([{ value: 2 }]);
});

describe('a handler that fails', () => {
  const failing: Record<string, (payload: EachBatchPayload) => unknown> = {
    'S9: synchronously': () => {
      throw new PaymentFailed();
    },
    'before any message': async () => {
      await tick();
      throw new PaymentFailed();
    },
  };
  test.each(Object.entries(failing))('%s: the span of its batch says so', async (_, fail) => {
    await sendTwo();
    await run((payload, entry) => (entry === 1 ? fail(payload) : undefined), 2);
    const batches = text(['messaging.batch.message_count']).split('\n').slice(-2);
    expect(batches).toEqual([
      'process orders CONSUMER !PaymentFailed {messaging.batch.message_count=2}  → create orders, create orders',
      'process orders CONSUMER {messaging.batch.message_count=2}  → create orders, create orders',
    ]);
  });

  test('in the middle: the span of the message is marked, those before are fine', async () => {
    await sendTwo();
    await run(async ({ batch }, entry) => {
      if (entry > 1) return;
      for (const { value } of batch.messages) {
        await work();
        if (String(value) === '2') throw new PaymentFailed();
      }
    }, 2);
    const lines = text().split('\n');
    expect(lines.filter((line) => line.includes('PaymentFailed'))).not.toEqual([]);
    expect(lines[1]).toBe('└─ process orders CONSUMER  → create orders, process orders');
  });
});

test('the handler gets the very batch of kafkajs, whose methods work', async () => {
  await sendTwo();
  let seen: unknown;
  await run(async ({ batch, resolveOffset, heartbeat, isRunning, isStale, uncommittedOffsets }) => {
    for (const { offset } of batch.messages) resolveOffset(offset);
    await heartbeat();
    seen = [
      batch.constructor.name,
      batch.firstOffset(),
      batch.lastOffset(),
      batch.isEmpty(),
      isRunning(),
      isStale(),
      uncommittedOffsets().topics.length,
      Array.isArray(batch.messages),
      Object.keys(batch.messages),
    ];
  });
  expect(seen).toEqual(['Batch', '0', '1', false, true, false, 1, true, ['0', '1']]);
});

test('after the walk the context is that of the batch, and none after the handler', async () => {
  await sendTwo();
  const active: (string | undefined)[] = [];
  const note = () => active.push(trace.getActiveSpan()?.spanContext().spanId);
  await run(async ({ batch }) => {
    note();
    for (const _ of batch.messages) await tick();
    note();
  });
  expect(active[0]).toBeDefined();
  expect(active[1]).toBe(active[0]);
});

test('without spans of messages the batch has its one', async () => {
  instrumentation.setConfig({ perMessageSpans: false });
  await sendTwo();
  await run(async ({ batch }) => {
    for (const _ of batch.messages) await work();
  });
  expect(text()).toBe(
    [
      'create orders PRODUCER',
      'create orders PRODUCER',
      'send orders CLIENT  → create orders, create orders',
      'process orders CONSUMER  → create orders, create orders',
      '├─ work INTERNAL',
      '└─ work INTERNAL',
    ].join('\n'),
  );
});

test('S13: switched off, a live consumer is silent; switched on within a batch, nothing goes wrong', async () => {
  await sendTwo();
  tracing.reset();
  instrumentation.disable();
  const values: string[] = [];
  await run(async ({ batch }) => {
    for (const { value } of batch.messages) {
      instrumentation.enable();
      values.push(String(value));
      await tick();
    }
  });
  instrumentation.enable();
  expect([values, text()]).toEqual([['1', '2'], '']);
});

test('a message sent on from within the walk continues its own trace', async () => {
  await sendTwo();
  const next = await cluster.topic();
  const producer = await cluster.producer();
  await run(async ({ batch }) => {
    for (const { value, headers } of batch.messages) {
      await producer.send({ topic: next, messages: [{ value, headers }] });
    }
  });
  const rename = (name: string) => name.replaceAll(topic, 'orders').replaceAll(next, 'bills');
  expect(traceText(tracing.spans(), { rename }).split('\n').slice(0, 6)).toEqual([
    'create orders PRODUCER',
    '└─ process orders CONSUMER  → create orders, process orders',
    '   └─ send bills PRODUCER',
    'create orders PRODUCER',
    '└─ process orders CONSUMER  → create orders, process orders',
    '   └─ send bills PRODUCER',
  ]);
});

test('a whole batch sent on: each message gets a context of its own, below the batch', async () => {
  await sendTwo();
  const next = await cluster.topic();
  const producer = await cluster.producer();
  await run(({ batch }) => producer.send({ topic: next, messages: batch.messages }));
  const rename = (name: string) => name.replaceAll(topic, 'orders').replaceAll(next, 'bills');
  expect(traceText(tracing.spans(), { rename }).split('\n').slice(-4)).toEqual([
    'process orders CONSUMER  → create orders, create orders',
    '├─ create bills PRODUCER',
    '├─ create bills PRODUCER',
    '└─ send bills CLIENT  → create bills, create bills',
  ]);
});

test('parts of a batch that are walked side by side do not see each other', async () => {
  const producer = await cluster.producer();
  const tenants = ['a', undefined, 'c', undefined];
  instrumentation.disable();
  await producer.send({
    topic,
    messages: tenants.map((tenant, i) => ({
      value: String(i),
      headers: {
        traceparent: `00-${String(i + 1).repeat(32)}-${String(i + 1).repeat(16)}-01`,
        ...(tenant && { baggage: `tenant=${tenant}` }),
      },
    })),
  });
  instrumentation.enable();
  const seen: string[] = [];
  const note = ({ value }: KafkaMessage) => {
    const tenant = propagation.getActiveBaggage()?.getEntry('tenant')?.value;
    seen.push(`${value} in ${trace.getActiveSpan()?.spanContext().traceId[0]}: ${tenant}`);
  };
  await run(async ({ batch: { messages } }) => {
    const walk = async (part: KafkaMessage[]) => {
      for (const message of part) {
        note(message);
        await tick();
        note(message);
      }
    };
    const isEven = ({ value }: KafkaMessage) => Number(value) % 2 === 0;
    await Promise.all([walk(messages.filter(isEven)), walk(messages.filter((message) => !isEven(message)))]);
  });
  const expected = ['0 in 1: a', '1 in 2: undefined', '2 in 3: c', '3 in 4: undefined'];
  expect(seen.sort()).toEqual([...expected, ...expected].sort());
});
