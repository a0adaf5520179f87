/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { randomUUID } from 'node:crypto';
import { context, trace } from '@opentelemetry/api';
import { deepFreeze, eventually, startTracing, type Tracing, traceText } from '@otel-messaging/test-utils';
import { type Confluent, confluent, instrumented, NAME, TestConfluent } from './confluent';
import { describeNative } from './native';
import { sameOutcome } from './same';

describeNative<Confluent>(confluent, `${NAME} in the manner of kafkajs`, (client) => {
  const instrumentation = instrumented();
  const cluster = new TestConfluent(client);
  let tracing: Tracing;
  let producer: Awaited<ReturnType<TestConfluent['producer']>>;
  let topic: string;

  beforeAll(async () => {
    producer = await cluster.producer();
  });
  afterAll(() => cluster.close());
  beforeEach(async () => {
    topic = await cluster.topic();
    tracing = startTracing([instrumentation]);
  });
  afterEach(async () => {
    expect(tracing.openSpans).toBe(0);
    await tracing.stop();
    instrumentation.setConfig({});
  });

  const text = (attributes: string[] = []) =>
    traceText(tracing.spans(), { attributes, rename: (name) => name.replaceAll(topic, 'orders') });
  const span = (name: string) => tracing.spans().find((one) => one.name.startsWith(name));

  test('a send makes one span, although it calls the other API, and its handler continues the trace', async () => {
    await tracing.inSpan('app', () => producer.send({ topic, messages: [{ key: 'k', value: 'v' }] }));
    let inside: string | undefined;
    await cluster.run(
      [topic],
      {
        eachMessage: async () => {
          await null;
          inside = trace.getSpan(context.active())?.spanContext().spanId;
        },
      },
      () => inside !== undefined,
    );
    await eventually('the span', () => span('process') !== undefined);
    expect(text()).toBe(
      ['app INTERNAL', '└─ send orders PRODUCER', '   └─ process orders CONSUMER  → send orders'].join('\n'),
    );
    expect(inside).toBe(span('process')?.spanContext().spanId);
    const common = {
      'messaging.system.name': 'kafka',
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': '0',
      'messaging.client.id': 'shop',
      'kafka.offset': 0,
      'server.address': '127.0.0.1',
      'server.port': expect.any(Number),
    };
    expect(span('send')?.attributes).toEqual({
      ...common,
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
    });
    expect(span('process')?.attributes).toEqual({
      ...common,
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.consumer.group.name': expect.stringMatching(/^group-/),
      'messaging.message.receive.latency': expect.any(Number),
    });
  });

  test.each(['eachMessage', 'eachBatch'] as const)('the lag of a consumer with %s', async (name) => {
    await producer.send({ topic, messages: [{ value: '1' }, { value: '2' }] });
    let count = 0;
    const handlers = {
      eachMessage: async () => {
        count++;
      },
      eachBatch: async ({ batch }: { batch: { messages: unknown[] } }) => {
        count += batch.messages.length;
      },
    };
    let seen: unknown;
    await cluster.run([topic], { [name]: handlers[name] }, async () => {
      const gauge = (await tracing.metrics()).find(
        ({ descriptor }) => descriptor.name === 'kafka.consumer.records_lag',
      );
      seen = gauge?.dataPoints.map(({ attributes, value }) => [attributes['messaging.destination.name'], value]);
      return count === 2 && JSON.stringify(seen) === JSON.stringify([[topic, 0]]);
    });
    expect(seen).toEqual([[topic, 0]]);
  });

  test('several topics: one send span, a create span for each message', async () => {
    const [other] = (await cluster.topics(1)) as [string];
    const messages = [{ key: 'a', value: null }, { value: '2' }];
    await producer.sendBatch({
      topicMessages: [
        { topic, messages },
        { topic: other, messages: [{ value: '3' }] },
      ],
    });
    const rename = (name: string) => name.replaceAll(topic, 'orders').replaceAll(other, 'bills');
    expect(traceText(tracing.spans(), { rename, attributes: ['kafka.message.tombstone'] })).toBe(
      [
        'create orders PRODUCER {kafka.message.tombstone=true}',
        'create orders PRODUCER',
        'create bills PRODUCER',
        'send CLIENT  → create orders, create orders, create bills',
      ].join('\n'),
    );
  });

  test('a batch: each message is handled in the trace of its create span', async () => {
    await producer.send({ topic, messages: [{ value: '1' }, { value: '2' }] });
    const seen: (string | undefined)[] = [];
    await cluster.run(
      [topic],
      {
        eachBatch: async ({ batch }) => {
          for (const message of batch.messages) {
            await null;
            seen.push(trace.getSpan(context.active())?.spanContext().traceId);
            expect(String(message.value)).toBe(String(seen.length));
          }
        },
      },
      () => seen.length === 2,
    );
    const created = tracing.spans().filter(({ name }) => name.startsWith('create'));
    expect(seen).toEqual(created.map((one) => one.spanContext().traceId));
    await eventually('the spans', () => tracing.openSpans === 0);
  });

  test('a batch that is taken by index: each message has a span that ends when its offset is resolved', async () => {
    await producer.send({ topic, messages: [{ value: '1' }, { value: '2' }] });
    let resolved = 0;
    const groupId = `group-${topic}`;
    const consumer = await cluster.consumer([topic], groupId);
    await consumer.run({
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch: { messages }, resolveOffset }) => {
        for (let i = 0; i < messages.length; i++) {
          await null;
          resolveOffset(messages[i]?.offset as string);
          resolved++;
        }
      },
    });
    await eventually('the batch', () => resolved === 2 && tracing.openSpans === 0);
    await consumer.commitOffsets();
    const handled = tracing.spans().filter(({ attributes }) => {
      return attributes['messaging.operation.type'] === 'process' && 'kafka.offset' in attributes;
    });
    expect(handled.map((one) => one.attributes['kafka.offset'])).toEqual([0, 1]);
    const created = tracing.spans().filter(({ name }) => name.startsWith('create'));
    expect(handled.map((one) => one.parentSpanContext?.spanId)).toEqual(created.map((one) => one.spanContext().spanId));
    expect(await cluster.committed(groupId, topic)).toEqual(['2']);
  });

  test('a transaction: its sends are traced, committed or not', async () => {
    const transactional = await cluster.producer({ kafkaJS: { transactionalId: randomUUID() } });
    const transaction = await transactional.transaction();
    await transaction.send({ topic, messages: [{ value: '1' }] });
    await transaction.sendBatch({ topicMessages: [{ topic, messages: [{ value: '2' }] }] });
    await transaction.abort();
    expect(text()).toBe(['send orders PRODUCER', 'send orders PRODUCER'].join('\n'));
  });

  test('an object that is sent twice stays as it was, and both messages have a context of their own', async () => {
    const record = deepFreeze({ topic, messages: [{ value: 'v', headers: { tenant: 'a', tags: ['x', 'y'] } }] });
    await producer.send(record as never);
    await producer.send(record as never);
    const parents: string[] = [];
    const headers: object[] = [];
    await cluster.run(
      [topic],
      {
        eachMessage: async ({ message }) => {
          parents.push(String(message.headers?.['traceparent']).slice(36, 52));
          headers.push({ tenant: String(message.headers?.['tenant']), tags: String(message.headers?.['tags']) });
        },
      },
      () => parents.length === 2,
    );
    const sends = tracing.spans().filter(({ name }) => name.startsWith('send'));
    expect(parents).toEqual(sends.map((one) => one.spanContext().spanId));
    expect(headers).toEqual([
      { tenant: 'a', tags: 'x,y' },
      { tenant: 'a', tags: 'x,y' },
    ]);
    await eventually('the spans', () => tracing.openSpans === 0);
  });

  test('a message that the client has changed, and instances of classes, carry a context too', async () => {
    const message = { value: 'v', headers: null as never };
    class Order {
      readonly value = 'v';
      get key(): string {
        return 'k';
      }
    }
    await producer.send({ topic, messages: [message] });
    await producer.send({ topic, messages: [new Order() as never] });
    const parents: string[] = [];
    await cluster.run(
      [topic],
      {
        eachMessage: async ({ message }) => {
          parents.push(`${message.key ?? '-'} ${String(message.headers?.['traceparent']).slice(36, 52)}`);
        },
      },
      () => parents.length === 2,
    );
    const [first, second] = tracing.spans().filter(({ name }) => name.startsWith('send'));
    expect(parents).toEqual([`- ${first?.spanContext().spanId}`, `k ${second?.spanContext().spanId}`]);
    await eventually('the spans', () => tracing.openSpans === 0);
  });

  test('a send that fails: the same error as without us, and its code on the span', async () => {
    const large = () => ({ topic, messages: [{ value: Buffer.alloc(2_000_000) }] });
    const observed = await sameOutcome(instrumentation, () => producer.send(large()));
    expect(observed.manner).toBe('rejected');
    expect(text()).toBe('send orders PRODUCER !ERR_MSG_SIZE_TOO_LARGE');
  });

  test('keys are recorded with captureMessageKey only', async () => {
    await producer.send({ topic, messages: [{ key: 'private', value: 'v' }] });
    instrumentation.setConfig({ captureMessageKey: true });
    await producer.send({ topic, messages: [{ key: 'public', value: 'v' }] });
    expect(tracing.spans().map(({ attributes }) => attributes['kafka.message.key'])).toEqual([undefined, 'public']);
  });

  test('commits have spans with settleSpans only', async () => {
    await producer.send({ topic, messages: [{ value: 'v' }] });
    instrumentation.setConfig({ settleSpans: true });
    const consumer = await cluster.consumer([topic], undefined, { 'enable.auto.commit': false });
    let isCommitted = false;
    await consumer.run({
      eachMessage: async ({ partition, message }) => {
        await consumer.commitOffsets([{ topic, partition, offset: String(Number(message.offset) + 1) }]);
        isCommitted = true;
      },
    });
    await eventually('the commit', () => isCommitted);
    await eventually('the spans', () => tracing.openSpans === 0);
    expect(text(['kafka.offset'])).toBe(
      [
        'send orders PRODUCER {kafka.offset=0}',
        '└─ process orders CONSUMER {kafka.offset=0}  → send orders',
        '   └─ commit orders CLIENT {kafka.offset=1}',
      ].join('\n'),
    );
  });

  describe('sendOffsets', () => {
    type Transaction = Awaited<ReturnType<typeof producer.transaction>>;
    const begin = async (): Promise<Transaction> =>
      (await cluster.producer({ kafkaJS: { transactionalId: randomUUID() } })).transaction();
    const offsets = (consumer: unknown) =>
      ({ consumer, topics: [{ topic, partitions: [{ partition: 0, offset: '0' }] }] }) as never;

    test('with what a handler sends, in one transaction: one span, although it calls the other API', async () => {
      instrumentation.setConfig({ settleSpans: true });
      const next = await cluster.topic();
      await producer.send({ topic, messages: [{ value: '1' }] });
      const transactional = await cluster.producer({ kafkaJS: { transactionalId: randomUUID() } });
      const groupId = `group-${topic}`;
      const consumer = await cluster.consumer([topic], groupId, { 'enable.auto.commit': false });
      let isDone = false;
      await consumer.run({
        eachMessage: async ({ partition, message }) => {
          const transaction = await transactional.transaction();
          await transaction.send({ topic: next, messages: [{ value: message.value }] });
          const offset = String(Number(message.offset) + 1);
          await transaction.sendOffsets({ consumer, topics: [{ topic, partitions: [{ partition, offset }] }] });
          await transaction.commit();
          isDone = true;
        },
      });
      await eventually('the message', () => isDone && tracing.openSpans === 0);
      expect(text(['kafka.offset', 'messaging.consumer.group.name']).replaceAll(next, 'bills')).toBe(
        [
          'send orders PRODUCER {kafka.offset=0}',
          '└─ process orders CONSUMER {kafka.offset=0} {messaging.consumer.group.name=group-orders}  → send orders',
          '   ├─ send bills PRODUCER {kafka.offset=0}',
          '   └─ commit orders CLIENT {kafka.offset=1} {messaging.consumer.group.name=group-orders}',
        ].join('\n'),
      );
      expect(span('commit')?.attributes).toMatchObject({
        'messaging.client.id': 'shop',
        'messaging.destination.partition.id': '0',
        'server.address': '127.0.0.1',
      });
      expect(await cluster.committed(groupId, topic)).toEqual(['1']);
    });

    test('makes no span unless asked for', async () => {
      const consumer = await cluster.consumer([topic]);
      const transaction = await begin();
      await transaction.sendOffsets(offsets(consumer));
      await transaction.abort();
      expect(text()).toBe('');
    });

    test('that fails has the name of its code, and rejects with the same error', async () => {
      instrumentation.setConfig({ settleSpans: true });
      const consumer = await cluster.consumer([topic]);
      const transaction = await begin();
      await transaction.abort();
      await expect(transaction.sendOffsets(offsets(consumer))).rejects.toThrow('no transaction ongoing');
      expect(text()).toBe('commit orders CLIENT !ERR__STATE');
    });

    test.each<[string, () => unknown]>([
      ['nothing', () => undefined],
      ['null', () => null],
      ['no topics', () => ({ consumer: {} })],
      ['topics that are none', () => ({ consumer: {}, topics: 3 })],
      ['no consumer', () => offsets(undefined)],
      ["a group's name", () => ({ ...(offsets({}) as object), consumerGroupId: 'mailer' })],
    ])("of %s meets the client's own error", async (_, argument) => {
      instrumentation.setConfig({ settleSpans: true });
      const transaction = await begin();
      const call = () => transaction.sendOffsets(argument() as never);
      const observed = await sameOutcome(instrumentation, call);
      expect(observed.manner).toBe('rejected');
      await transaction.abort();
      expect(text()).toBe('');
    });
  });
});
