/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { applicationSpan, deepFreeze, type Tracing, traceText, w3c } from '@otel-messaging/test-utils';
import { type KafkaMessage, type Message, Partitioners, type Producer } from 'kafkajs';
import { forEachTest } from './kafka';
import { sameOutcome } from './same';

let tracing: Tracing;
let producer: Producer;
let topic: string;
const { instrumentation, cluster } = forEachTest((own) => {
  ({ tracing, topic } = own);
});

beforeAll(async () => {
  producer = await cluster.producer();
});

/** The whole content of topics, in order. */
async function stored(count: number, topics = [topic]): Promise<KafkaMessage[]> {
  instrumentation.disable();
  try {
    const found: KafkaMessage[] = [];
    const take = async ({ message }: { message: KafkaMessage }) => {
      found.push(message);
    };
    await cluster.run(topics, { eachMessage: take }, () => found.length >= count);
    return found;
  } finally {
    instrumentation.enable();
  }
}

const headerText = (message: KafkaMessage | undefined, name = 'traceparent') => String(message?.headers?.[name]);
const spanIdOf = (message: KafkaMessage | undefined) => headerText(message).slice(36, 52);
const text = (attributes: string[] = []) =>
  traceText(tracing.spans(), { attributes, rename: (name) => name.replaceAll(topic, 'orders') });

test('one message: the send span is in it', async () => {
  await tracing.inSpan('app', () => producer.send({ topic, messages: [{ key: 'k', value: 'v' }] }));
  expect(text()).toBe(['app INTERNAL', '└─ send orders PRODUCER'].join('\n'));
  const [message] = await stored(1);
  const send = tracing.spans().find(({ kind }) => kind === SpanKind.PRODUCER);
  expect(spanIdOf(message)).toBe(send?.spanContext().spanId);
  expect(send?.attributes).toEqual({
    'messaging.system.name': 'kafka',
    'messaging.operation.name': 'send',
    'messaging.operation.type': 'send',
    'messaging.destination.name': topic,
    'messaging.destination.partition.id': '0',
    'messaging.client.id': 'shop',
    'kafka.offset': 0,
    'kafka.cluster.id': expect.any(String),
    'server.address': '127.0.0.1',
    'server.port': expect.any(Number),
  });
});

test('several messages: a create span is in each, and the send span links to all', async () => {
  await tracing.inSpan('app', () =>
    producer.send({ topic, messages: [{ key: 'a', value: '1' }, { key: 'b', value: null }, { value: '3' }] }),
  );
  expect(text(['messaging.batch.message_count', 'kafka.message.tombstone'])).toBe(
    [
      'app INTERNAL',
      '├─ create orders PRODUCER',
      '├─ create orders PRODUCER {kafka.message.tombstone=true}',
      '├─ create orders PRODUCER',
      '└─ send orders CLIENT {messaging.batch.message_count=3}  → create orders, create orders, create orders',
    ].join('\n'),
  );
  const created = tracing.spans().filter(({ name }) => name.startsWith('create'));
  const messages = await stored(3);
  expect(messages.map(spanIdOf)).toEqual(created.map((span) => span.spanContext().spanId));
});

test('several topics: the send span has no destination, each create span its own', async () => {
  const [other] = (await cluster.topics(1)) as [string];
  await producer.sendBatch({
    topicMessages: [
      { topic, messages: [{ value: '1' }, { value: '2' }] },
      { topic: other, messages: [{ value: '3' }] },
    ],
  });
  const rename = (name: string) => name.replaceAll(topic, 'orders').replaceAll(other, 'bills');
  expect(traceText(tracing.spans(), { rename })).toBe(
    [
      'create orders PRODUCER',
      'create orders PRODUCER',
      'create bills PRODUCER',
      'send CLIENT  → create orders, create orders, create bills',
    ].join('\n'),
  );
  const send = tracing.spans().at(-1);
  expect(send?.attributes['messaging.destination.name']).toBeUndefined();
  expect(send?.links.map(({ attributes }) => attributes?.['messaging.destination.name'])).toEqual([
    topic,
    topic,
    other,
  ]);
  const values = (await stored(3, [topic, other])).map(({ value }) => String(value)).sort();
  expect(values).toEqual(['1', '2', '3']);
});

test('sendBatch to one topic is a batch of that topic', async () => {
  await producer.sendBatch({
    topicMessages: [
      { topic, messages: [{ value: '1' }] },
      { topic, messages: [{ value: '2' }] },
    ],
  });
  expect(text()).toBe(
    ['create orders PRODUCER', 'create orders PRODUCER', 'send orders CLIENT  → create orders, create orders'].join(
      '\n',
    ),
  );
});

test('sendBatch of one message is a send', async () => {
  await producer.sendBatch({ topicMessages: [{ topic, messages: [{ value: '1' }] }] });
  expect(text(['kafka.offset'])).toBe('send orders PRODUCER {kafka.offset=0}');
});

test('a send of nothing is no send', async () => {
  await producer.send({ topic, messages: [] });
  await producer.sendBatch({ topicMessages: [] });
  expect(text()).toBe('');
});

test('without create spans the send span is in every message', async () => {
  instrumentation.setConfig({ batchCreateSpans: false });
  await producer.send({ topic, messages: [{ value: '1' }, { value: '2' }] });
  expect(text()).toBe('send orders PRODUCER');
  const ids = (await stored(2)).map(spanIdOf);
  expect(ids).toEqual(Array(2).fill(tracing.spans()[0]?.spanContext().spanId));
});

test('a partition that the application chose is known from the start', async () => {
  const wide = await cluster.topic(3);
  await producer.send({
    topic: wide,
    messages: [
      { value: '1', partition: 2 },
      { value: '2', partition: 1 },
    ],
  });
  const partitions = tracing.spans().map(({ attributes }) => attributes['messaging.destination.partition.id']);
  expect(partitions).toEqual(['2', '1', undefined]);
});

test('keys are recorded only if asked for', async () => {
  await producer.send({ topic, messages: [{ key: 'customer', value: '1' }] });
  instrumentation.setConfig({ captureMessageKey: true });
  await producer.send({ topic, messages: [{ key: 'customer', value: '1' }] });
  expect(text(['kafka.message.key'])).toBe(
    ['send orders PRODUCER', 'send orders PRODUCER {kafka.message.key=customer}'].join('\n'),
  );
});

test('without acknowledgement the position stays unknown', async () => {
  await producer.send({ topic, acks: 0, messages: [{ value: '1' }] });
  expect(text(['kafka.offset', 'messaging.destination.partition.id'])).toBe('send orders PRODUCER');
});

describe('messages stay as they were', () => {
  test('D5: frozen all the way down, and sent twice', async () => {
    const record = deepFreeze({ topic, messages: [{ value: '1', headers: { tenant: 'a' } }, { value: '2' }] });
    await producer.send(record);
    await producer.send(record);
    await producer.sendBatch(deepFreeze({ topicMessages: [record] }));
    const messages = await stored(6);
    expect(new Set(messages.map(spanIdOf)).size).toBe(6);
    expect(messages.filter((message) => headerText(message, 'tenant') === 'a')).toHaveLength(3);
  });

  test('C7: messages that share one headers object carry each its own context', async () => {
    const headers = { tenant: 'a' };
    await producer.send({
      topic,
      messages: [
        { value: '1', headers },
        { value: '2', headers },
      ],
    });
    expect(headers).toEqual({ tenant: 'a' });
    const ids = (await stored(2)).map(spanIdOf);
    expect(ids).toEqual(
      tracing
        .spans()
        .slice(0, 2)
        .map((span) => span.spanContext().spanId),
    );
  });

  test('one message object twice in a call', async () => {
    const message = { value: '1' };
    await producer.send({ topic, messages: [message, message] });
    expect(new Set((await stored(2)).map(spanIdOf)).size).toBe(2);
    expect(message).toEqual({ value: '1' });
  });

  test('instances of classes keep what a partitioner asks them; of them kafkajs sends own properties only', async () => {
    class Order {
      #shard = 1;
      readonly value = 'v';
      readonly offset = 1;
      get key(): string {
        return `shard-${this.#shard}`;
      }
      get shard(): number {
        return this.#shard - this.offset;
      }
      inShard(others: number): number {
        return this.shard + others + this.#shard;
      }
    }
    const wide = await cluster.topic(2);
    const choosing = await cluster.producer({
      createPartitioner:
        () =>
        ({ message }) => {
          const { key, value, headers, ...own } = message as unknown as Order & { headers: unknown };
          return (message as unknown as Order).inShard(own.offset - 1);
        },
    });
    const [metadata] = await choosing.send({ topic: wide, messages: [new Order()] });
    expect(metadata?.partition).toBe(1);
    const [message] = await stored(1, [wide]);
    expect(message).toMatchObject({ key: null, value: Buffer.from('v') });
    expect(spanIdOf(message)).toBe(tracing.spans()[0]?.spanContext().spanId);
  });

  test('what else a call says arrives: acks, timestamps, header lists, bytes', async () => {
    const headers = { list: ['a', Buffer.from('b')], bytes: Buffer.from([0, 255]) };
    await producer.send({
      topic,
      acks: 1,
      timeout: 5000,
      messages: [{ value: 'v', timestamp: '1234567890123', headers }],
    });
    const [message] = await stored(1);
    expect(message?.timestamp).toBe('1234567890123');
    expect(message?.headers?.['list']).toEqual([Buffer.from('a'), Buffer.from('b')]);
    expect(message?.headers?.['bytes']).toEqual(Buffer.from([0, 255]));
  });
});

describe('a context that is in the message', () => {
  const carrierOf = (spanContext = applicationSpan('outbox')) => {
    const headers: Record<string, string> = {};
    w3c().inject(trace.setSpanContext(ROOT_CONTEXT, spanContext), headers, {
      set: (to, key, value) => (to[key] = value),
    });
    return { spanContext, headers };
  };

  test.each<[string, (traceparent: string) => Message['headers']]>([
    ['as text', (traceparent) => ({ traceparent })],
    ['as bytes', (traceparent) => ({ traceparent: Buffer.from(traceparent) })],
    ['in other letters', (traceparent) => ({ TraceParent: traceparent })],
    ['several times', (traceparent) => ({ traceparent: ['garbage', traceparent] })],
  ])("%s and is the application's own is kept and linked", async (_, headersOf) => {
    const { spanContext, headers } = carrierOf();
    const own = deepFreeze(headersOf(headers['traceparent'] as string));
    await producer.send({ topic, messages: [{ value: '1', headers: own }] });
    const send = tracing.spans().at(-1);
    expect(send?.kind).toBe(SpanKind.CLIENT);
    expect(send?.links.map((link) => link.context.spanId)).toEqual([spanContext.spanId]);
    const [message] = await stored(1);
    expect(Object.keys(message?.headers ?? {})).toEqual(Object.keys(own ?? {}));
  });

  test('in one message of several is kept, the others get one', async () => {
    const { spanContext, headers } = carrierOf();
    await producer.send({ topic, messages: [{ value: '1', headers }, { value: '2' }] });
    expect(text()).toBe(
      ['outbox INTERNAL', 'create orders PRODUCER', 'send orders CLIENT  → outbox, create orders'].join('\n'),
    );
    const ids = (await stored(2)).map(spanIdOf);
    expect(ids[0]).toBe(spanContext.spanId);
  });

  test('and is no valid one is replaced, whatever its letters and number', async () => {
    const headers = { Traceparent: 'garbage', traceparent: ['a', 'b'], tracestate: 'old=1', tenant: 'a' };
    await producer.send({ topic, messages: [{ value: '1', headers }] });
    const [message] = await stored(1);
    expect(Object.keys(message?.headers ?? {}).sort()).toEqual(['tenant', 'traceparent']);
    expect(spanIdOf(message)).toBe(tracing.spans()[0]?.spanContext().spanId);
  });
});

test('baggage travels', async () => {
  const baggage = propagation.createBaggage({ tenant: { value: 'a b' } });
  await context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), () =>
    producer.send({ topic, messages: [{ value: '1' }] }),
  );
  expect(headerText((await stored(1))[0], 'baggage')).toBe('tenant=a%20b');
});

describe("kafkajs's own errors", () => {
  const calls: Record<string, (to: Producer) => unknown> = {
    'D6: no messages': (to) => to.send({ topic } as never),
    'D6: a topic without messages': (to) =>
      to.sendBatch({ topicMessages: [{ topic, messages: [{ value: 'a' }] }, { topic: 'b' } as never] }),
    'D10: a message without value beside one with': (to) =>
      to.send({ topic, messages: [{ value: 'a' }, { key: 'k', headers: { tenant: 'a' } } as never] }),
    'no argument': (to) => to.send(undefined as never),
    null: (to) => to.send(null as never),
    'topicMessages that are null': (to) => to.sendBatch({ topicMessages: null } as never),
    'a topic entry that is null': (to) => to.sendBatch({ topicMessages: [null] } as never),
    'messages that are no list': (to) => to.send({ topic, messages: 'abc' } as never),
    'headers that are null': (to) => to.send({ topic, messages: [{ value: 'a', headers: null as never }] }),
    'a header that is null': (to) => to.send({ topic, messages: [{ value: 'a', headers: { tenant: null as never } }] }),
    'a value that is a number': (to) => to.send({ topic, messages: [{ value: 7 as never }] }),
    'a record of getters that throw': (to) =>
      to.send(
        Object.defineProperty({}, 'topic', {
          get: () => {
            throw new TypeError('hostile');
          },
        }) as never,
      ),
    'a partition that cannot be read': (to) =>
      to.send({
        topic,
        messages: [
          {
            value: 'a',
            get partition(): number {
              throw new TypeError('hostile');
            },
          },
        ],
      }),
    'a list of messages that can be read once': (to) => {
      let reads = 0;
      const get = (target: Message[], name: string | symbol) => {
        if (name === 'length' && reads++ > 0) throw new TypeError('hostile');
        return Reflect.get(target, name);
      };
      return to.send({ topic, messages: new Proxy<Message[]>([{ value: 'a' }], { get }) });
    },
    'headers that are a hostile proxy': (to) =>
      to.send({
        topic,
        messages: [
          {
            value: 'a',
            headers: new Proxy(
              {},
              {
                ownKeys: () => {
                  throw new TypeError('hostile');
                },
              },
            ),
          },
        ],
      }),
  };

  test.each(Object.entries(calls))('%s', async (_, call) => {
    const hasty = await cluster.producer({ retry: { retries: 0 } });
    const observed = await sameOutcome(instrumentation, () => call(hasty));
    expect(observed.manner).toBe('rejected');
    expect(observed.what).not.toContain('traceparent');
  });

  test('D10: a producer that is not connected', async () => {
    const lonely = cluster.kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await expect(lonely.send({ topic, messages: [{ value: 'a' }] })).rejects.toThrow('The producer is disconnected');
    expect(text()).toBe('send orders PRODUCER !KafkaJSError');
  });

  test("an error of the broker's has its name", async () => {
    const hasty = await cluster.producer({ retry: { retries: 0 } });
    const send = () => hasty.send({ topic, messages: [{ value: 'x'.repeat(2_000_000) }] });
    await expect(send()).rejects.toMatchObject({ type: 'MESSAGE_TOO_LARGE' });
    expect(text()).toBe('send orders PRODUCER !MESSAGE_TOO_LARGE');
  });
});

describe('transactions', () => {
  const transactional = () =>
    cluster.producer({ transactionalId: `tx-${topic}`, idempotent: true, maxInFlightRequests: 1 });

  test('S12: sends are traced as any other, and nothing is left open', async () => {
    const transaction = await (await transactional()).transaction();
    await tracing.inSpan('app', async () => {
      await transaction.send({ topic, messages: [{ value: '1' }] });
      await transaction.sendBatch({ topicMessages: [{ topic, messages: [{ value: '2' }, { value: '3' }] }] });
    });
    expect(text()).toBe(
      [
        'app INTERNAL',
        '├─ send orders PRODUCER',
        '├─ create orders PRODUCER',
        '├─ create orders PRODUCER',
        '└─ send orders CLIENT  → create orders, create orders',
      ].join('\n'),
    );
    expect(transaction.isActive()).toBe(true);
    await transaction.commit();
    expect(new Set((await stored(3)).map(spanIdOf)).size).toBe(3);
  });

  test('D10: an ended one refuses as it does without us', async () => {
    const transaction = await (await transactional()).transaction();
    await transaction.abort();
    const send = () => transaction.send({ topic, messages: [{ value: '1' }] });
    await expect(send()).rejects.toThrow('Cannot continue to use transaction once ended');
    await expect(transaction.commit()).rejects.toThrow('Cannot continue to use transaction once ended');
  });
});

describe('S13: switched off, live producers', () => {
  test('are silent, and traced again once it is on', async () => {
    const producerOfBefore = await cluster.producer();
    instrumentation.disable();
    const producerOfBetween = await cluster.producer();
    await producerOfBefore.send({ topic, messages: [{ value: '1' }] });
    await producerOfBetween.send({ topic, messages: [{ value: '2' }] });
    expect(text()).toBe('');
    instrumentation.enable();
    await producerOfBefore.send({ topic, messages: [{ value: '3' }] });
    expect(text()).toBe('send orders PRODUCER');
    expect((await stored(3)).map((message) => Object.keys(message.headers ?? {}))).toEqual([[], [], ['traceparent']]);
  });
});

test('M2: counters count messages with units, histograms are in seconds', async () => {
  await producer.send({ topic, messages: [{ value: '1' }] });
  await producer.send({ topic, messages: [{ value: '2' }, { value: '3' }] });
  const lonely = cluster.kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await expect(lonely.send({ topic, messages: [{ value: 'a' }] })).rejects.toThrow();
  const metrics = await tracing.metrics();
  const sent = metrics.find(({ descriptor }) => descriptor.name === 'messaging.client.sent.messages');
  expect(sent?.descriptor.unit).toBe('{message}');
  const own = sent?.dataPoints.filter(({ attributes }) => attributes['messaging.destination.name'] === topic);
  expect(own?.map(({ value, attributes }) => [value, attributes['error.type']])).toEqual([
    [3, undefined],
    [1, 'KafkaJSError'],
  ]);
});
