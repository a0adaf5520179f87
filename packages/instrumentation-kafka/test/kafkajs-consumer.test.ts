/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { deepFreeze, eventually, type Tracing, traceText, w3c } from '@otel-messaging/test-utils';
import type { ConsumerRunConfig, EachMessagePayload, Message } from 'kafkajs';
import { forEachTest, PaymentFailed } from './kafka';

let tracing: Tracing;
let topic: string;
const { instrumentation, cluster } = forEachTest((own) => {
  ({ tracing, topic } = own);
});

const tick = () => new Promise((resolve) => setImmediate(resolve));
const activeSpanId = () => trace.getActiveSpan()?.spanContext().spanId;
const text = (attributes: string[] = []) =>
  traceText(tracing.spans(), { attributes, rename: (name) => name.replaceAll(topic, 'orders') });
const processSpans = () =>
  tracing.spans().filter(({ attributes }) => attributes['messaging.operation.type'] === 'process');

async function send(...messages: Message[]): Promise<void> {
  const producer = await cluster.producer();
  for (const message of messages) await producer.send({ topic, messages: [message] });
}

/** Sends without a trace of it. */
async function sendUntraced(...messages: Message[]): Promise<void> {
  instrumentation.disable();
  await send(...messages);
  instrumentation.enable();
}

/** Runs a consumer until its handler has been entered `count` times. */
async function run(count: number, handler: (payload: EachMessagePayload, entry: number) => unknown) {
  let entries = 0;
  const eachMessage = (payload: EachMessagePayload) => handler(payload, ++entries) as Promise<void>;
  await cluster.run([topic], { eachMessage }, () => entries >= count);
}

test('a message is handled in the trace of its send, and what the handler does is below', async () => {
  await tracing.inSpan('app', () => send({ value: '1' }, { value: '2' }));
  await run(2, async () => {
    await tick();
    await tracing.inSpan('work', tick);
  });
  expect(text()).toBe(
    [
      'app INTERNAL',
      '├─ send orders PRODUCER',
      '│  └─ process orders CONSUMER  → send orders',
      '│     └─ work INTERNAL',
      '└─ send orders PRODUCER',
      '   └─ process orders CONSUMER  → send orders',
      '      └─ work INTERNAL',
    ].join('\n'),
  );
});

test('what a process span says', async () => {
  instrumentation.setConfig({ captureMessageKey: true, captureBodySize: true, captureHeaders: ['tenant'] });
  await sendUntraced({ key: 'k', value: null, headers: { tenant: 'a' } });
  const groupId = `group-${topic}`;
  const consumer = await cluster.consumer([topic], groupId);
  await consumer.run({ eachMessage: async () => {} });
  await eventually('the span', () => processSpans().length === 1);
  await consumer.disconnect();
  expect(processSpans()[0]?.attributes).toEqual({
    'messaging.system.name': 'kafka',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': topic,
    'messaging.destination.partition.id': '0',
    'messaging.consumer.group.name': groupId,
    'messaging.client.id': 'shop',
    'messaging.message.receive.latency': expect.any(Number),
    'messaging.header.tenant': ['a'],
    'kafka.message.key': 'k',
    'kafka.message.tombstone': true,
    'kafka.offset': 0,
    'kafka.cluster.id': expect.any(String),
    'server.address': '127.0.0.1',
    'server.port': expect.any(Number),
  });
});

describe('how a handler ends is how its span ends', () => {
  // kafkajs delivers again what failed; the second delivery ends the test.
  const failing: Record<string, () => unknown> = {
    'S9: throws synchronously': () => {
      throw new PaymentFailed();
    },
    rejects: async () => {
      await tick();
      throw new PaymentFailed();
    },
  };
  test.each(Object.entries(failing))('%s; each delivery has its own span', async (_, fail) => {
    await send({ value: '1' });
    await run(2, (__, entry) => (entry === 1 ? fail() : undefined));
    expect(text(['kafka.offset'])).toBe(
      [
        'send orders PRODUCER {kafka.offset=0}',
        '├─ process orders CONSUMER !PaymentFailed {kafka.offset=0}  → send orders',
        '└─ process orders CONSUMER {kafka.offset=0}  → send orders',
      ].join('\n'),
    );
    const metrics = await tracing.metrics();
    const durations = metrics.find(({ descriptor }) => descriptor.name === 'messaging.process.duration');
    expect(durations?.dataPoints.map(({ attributes }) => attributes['error.type']).sort()).toEqual([
      'PaymentFailed',
      undefined,
    ]);
  });

  test('returns nothing', async () => {
    await send({ value: '1' });
    await run(1, () => {});
    expect(processSpans()).toHaveLength(1);
  });

  test('returns a promise of another make, which is awaited once', async () => {
    await send({ value: '1' });
    let waiters = 0;
    let ended: boolean | undefined;
    await run(1, () => ({
      // biome-ignore lint/suspicious/noThenProperty: a promise of another make
      then: (resolve: () => void) => {
        waiters++;
        setTimeout(() => {
          ended = processSpans().length > 0;
          resolve();
        }, 20);
      },
    }));
    expect({ waiters, ended }).toEqual({ waiters: 1, ended: false });
    expect(processSpans()).toHaveLength(1);
  });
});

describe('C8: a context is found', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  test.each<[string, Message['headers']]>([
    [
      'in duplicates: the last',
      { traceparent: ['00-1af7651916cd43dd8448eb211c80319c-c7ad6b7169203331-01', traceparent] },
    ],
    ['in duplicates, the last of which is broken', { traceparent: [traceparent, 'broken'] }],
    ['in other letters', { TraceParent: traceparent }],
    ['as bytes', { traceparent: Buffer.from(traceparent) }],
    ['of the newest flags', { traceparent: traceparent.replace(/01$/, '03') }],
  ])('%s', async (_, headers) => {
    await sendUntraced({ value: '1', headers });
    await run(1, async () => {});
    expect(processSpans()[0]?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
    expect(processSpans()[0]?.links).toHaveLength(1);
  });

  test('or none is, and the handler has a trace of its own', async () => {
    await sendUntraced({ value: '1', headers: { traceparent: 'garbage', other: [Buffer.from([0xff]), 'b'] } });
    await run(1, async () => {});
    expect(text()).toBe('process orders CONSUMER');
  });
});

test('baggage arrives, and ends with the handler', async () => {
  const baggage = propagation.createBaggage({ tenant: { value: 'a b' } });
  await context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), () => send({ value: '1' }));
  await send({ value: '2' });
  const seen: (string | undefined)[] = [];
  await run(2, async () => {
    await tick();
    seen.push(propagation.getActiveBaggage()?.getEntry('tenant')?.value);
  });
  expect(seen).toEqual(['a b', undefined]);
});

test('a span that was active when the consumer was started is not what handlers run in', async () => {
  await sendUntraced({ value: '1' });
  await tracing.inSpan('start-up', () => run(1, async () => {}));
  expect(text()).toBe(['start-up INTERNAL', 'process orders CONSUMER'].join('\n'));
});

test('forwarded headers: A → B → C stays a chain', async () => {
  const [second, third] = (await cluster.topics(2)) as [string, string];
  const producer = await cluster.producer();
  await producer.send({ topic, messages: [{ value: '1', headers: { tenant: 'a' } }] });
  const hops: string[] = [];
  const next: Record<string, string> = { [topic]: second, [second]: third };
  const eachMessage = async ({ topic: from, message }: EachMessagePayload) => {
    hops.push(from);
    const to = next[from];
    if (to === undefined) return;
    await tick();
    const { key, value, headers } = message;
    await producer.send({ topic: to, messages: [deepFreeze({ key, value, headers })] });
  };
  await cluster.run([topic, second, third], { eachMessage }, () => hops.length === 3);
  const rename = (name: string) => name.replaceAll(topic, 'A').replaceAll(second, 'B').replaceAll(third, 'C');
  expect(traceText(tracing.spans(), { rename })).toBe(
    [
      'send A PRODUCER',
      '└─ process A CONSUMER  → send A',
      '   └─ send B PRODUCER',
      '      └─ process B CONSUMER  → send B',
      '         └─ send C PRODUCER',
      '            └─ process C CONSUMER  → send C',
    ].join('\n'),
  );
});

test('a context of another message is kept when it is sent from within a handler', async () => {
  const outbox = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await send({ value: '1' });
  const other = await cluster.topic();
  const producer = await cluster.producer();
  await run(1, () => producer.send({ topic: other, messages: [{ value: '2', headers: { traceparent: outbox } }] }));
  const relayed = tracing.spans().find(({ name }) => name === `send ${other}`);
  expect(relayed?.links.map((link) => link.context.spanId)).toEqual(['b7ad6b7169203331']);
});

describe('the run configuration', () => {
  test('D5, D10: is frozen, keeps its handlers, and is used twice', async () => {
    await send({ value: '1' });
    let entries = 0;
    const config: ConsumerRunConfig = deepFreeze({
      autoCommit: false,
      eachMessage: async () => {
        entries++;
      },
    });
    const { eachMessage } = config;
    await cluster.run([topic], config, () => entries === 1);
    await cluster.run([topic], config, () => entries === 2);
    expect(config.eachMessage).toBe(eachMessage);
    expect(processSpans()).toHaveLength(2);
  });

  test('is an instance of a class', async () => {
    await send({ value: '1' });
    const seen: string[] = [];
    class Settings {
      #seen = seen;
      get autoCommit(): boolean {
        return this.#seen.length < 0;
      }
      get eachMessage(): ConsumerRunConfig['eachMessage'] {
        return async ({ message }) => {
          this.#seen.push(String(message.value));
        };
      }
    }
    await cluster.run([topic], new Settings(), () => seen.length === 1);
    expect(processSpans()).toHaveLength(1);
  });

  test('is absent, or of no use: as kafkajs takes it', async () => {
    const consumer = await cluster.consumer([topic]);
    await expect(consumer.run(null as never)).rejects.toThrow(TypeError);
    await expect(consumer.run(undefined)).resolves.toBeUndefined();
    await expect(consumer.run({ eachMessage: async () => {} })).resolves.toBeUndefined();
    await consumer.disconnect();
  });
});

test('the handler gets what kafkajs gives it, and `this`', async () => {
  await send({ value: '1' });
  let payload: EachMessagePayload | undefined;
  await run(1, (given) => {
    payload = given;
    return given.heartbeat();
  });
  expect(Object.keys(payload ?? {})).toEqual(['topic', 'partition', 'message', 'heartbeat', 'pause']);
});

test('S13: switched off, a live consumer is silent, and traced again once it is on', async () => {
  const producer = await cluster.producer();
  const seen: (string | undefined)[] = [];
  const consumer = await cluster.consumer([topic]);
  instrumentation.disable();
  await consumer.run({
    eachMessage: async () => {
      seen.push(activeSpanId());
    },
  });
  await producer.send({ topic, messages: [{ value: '1' }] });
  await eventually('the first message', () => seen.length === 1);
  expect([seen[0], text()]).toEqual([undefined, '']);
  instrumentation.enable();
  await producer.send({ topic, messages: [{ value: '2' }] });
  await eventually('the second message', () => seen.length === 2);
  expect(seen[1]).toBeDefined();
  await consumer.disconnect();
});

test('M2: a delivery is counted once, when it begins, with its group', async () => {
  await send({ value: '1' }, { value: '2' });
  const groupId = `group-${topic}`;
  const consumer = await cluster.consumer([topic], groupId);
  let entries = 0;
  await consumer.run({
    eachMessage: async () => {
      entries++;
    },
  });
  await eventually('both messages', () => entries === 2);
  await consumer.disconnect();
  const metrics = await tracing.metrics();
  const consumed = metrics.find(({ descriptor }) => descriptor.name === 'messaging.client.consumed.messages');
  expect(consumed?.dataPoints).toMatchObject([
    { value: 2, attributes: { 'messaging.consumer.group.name': groupId, 'messaging.destination.name': topic } },
  ]);
});

describe('commits', () => {
  const commit = async () => {
    const consumer = await cluster.consumer([topic]);
    let entries = 0;
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => {
        await consumer.commitOffsets([{ topic, partition, offset: String(Number(message.offset) + 1) }]);
        entries++;
      },
    });
    await eventually('the message', () => entries === 1);
    await consumer.disconnect();
  };

  test('make no spans unless asked for', async () => {
    await sendUntraced({ value: '1' });
    await commit();
    expect(text()).toBe('process orders CONSUMER');
  });

  test('are `commit` spans inside the handler if asked for', async () => {
    instrumentation.setConfig({ settleSpans: true });
    await sendUntraced({ value: '1' });
    await commit();
    expect(text(['kafka.offset', 'messaging.destination.partition.id'])).toBe(
      [
        'process orders CONSUMER {kafka.offset=0} {messaging.destination.partition.id=0}',
        '└─ commit orders CLIENT {kafka.offset=1} {messaging.destination.partition.id=0}',
      ].join('\n'),
    );
  });

  test("of nonsense meet kafkajs's own error", async () => {
    instrumentation.setConfig({ settleSpans: true });
    const consumer = await cluster.consumer([topic]);
    await expect(consumer.commitOffsets([{ topic: '', partition: 0, offset: '1' }])).rejects.toThrow('Invalid topic');
    await expect(consumer.commitOffsets(null as never)).rejects.toThrow(TypeError);
    await expect(consumer.commitOffsets([{ topic, partition: 0, offset: '1' }])).rejects.toThrow('consumer#run');
    await consumer.disconnect();
  });
});

test('a producer of another system is followed with its tracestate', async () => {
  const headers: Record<string, string> = {
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    tracestate: 'vendor=1',
  };
  await sendUntraced({ value: '1', headers });
  const carried: Record<string, string> = {};
  await run(1, () => {
    w3c().inject(context.active(), carried, { set: (to, key, value) => (to[key] = value) });
  });
  expect(carried['tracestate']).toBe('vendor=1');
});
