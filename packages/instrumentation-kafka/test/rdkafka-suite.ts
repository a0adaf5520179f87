/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context, trace } from '@opentelemetry/api';
import { eventually, startTracing, type Tracing, traceText } from '@otel-messaging/test-utils';
import type { KafkaInstrumentation } from '../src';
import {
  common,
  disconnected,
  type RdKafka,
  type RdMessage,
  type RdProducer,
  type Report,
  TestRdKafka,
} from './rdkafka';
import { sameOutcome } from './same';

/** What holds for librdkafka's API in every client that has it. */
export function describeRdKafka(
  client: RdKafka,
  instrumentation: KafkaInstrumentation,
  makeTopic: (configEntries?: { name: string; value: string }[]) => Promise<string>,
  manner: { readonly refusesOddHeaders: boolean },
): void {
  const cluster = new TestRdKafka(client);
  let tracing: Tracing;
  let producer: RdProducer;
  let topic: string;

  beforeAll(async () => {
    producer = await cluster.producer();
  });
  afterAll(() => cluster.close());
  beforeEach(async () => {
    topic = await makeTopic();
    tracing = startTracing([instrumentation]);
  });
  afterEach(async () => {
    expect(tracing.openSpans).toBe(0);
    await tracing.stop();
    instrumentation.setConfig({});
  });

  const text = (attributes: string[] = []) =>
    traceText(tracing.spans(), { attributes, rename: (name) => name.replaceAll(topic, 'orders') });
  const value = (body: string) => Buffer.from(body);
  /** The reports of what the code produces, in order. */
  async function reports(count: number, code: () => void, from = producer): Promise<[unknown, Report][]> {
    const seen: [unknown, Report][] = [];
    const listener = (error: unknown, report: Report) => seen.push([error, report]);
    from.on('delivery-report', listener);
    code();
    await eventually('delivery reports', () => seen.length === count);
    from.removeListener('delivery-report', listener);
    return seen;
  }
  /** The whole content of a topic, as another application sees it. */
  async function stored(count: number, name = topic): Promise<RdMessage[]> {
    instrumentation.disable();
    try {
      const consumer = await cluster.consumer([name]);
      const found: RdMessage[] = [];
      consumer.on('data', (message: RdMessage) => found.push(message));
      consumer.consume();
      await eventually('the messages', () => found.length >= count);
      return found;
    } finally {
      instrumentation.enable();
    }
  }
  const header = (message: RdMessage | undefined, name: string) =>
    message?.headers?.flatMap((one) => (name in one ? [String(one[name])] : []));

  test('a span ends with the delivery report, and tells where the message went', async () => {
    await reports(1, () => {
      producer.produce(topic, null, value('v'), 'k');
      expect(tracing.openSpans).toBe(1);
    });
    expect(tracing.spans()[0]?.attributes).toEqual({
      'messaging.system.name': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': '0',
      'messaging.client.id': 'shop',
      'kafka.offset': 0,
      'server.address': '127.0.0.1',
      'server.port': expect.any(Number),
    });
  });

  test('without delivery reports a span ends when the message is queued', async () => {
    const silent = await cluster.producer({});
    expect(silent.produce(topic, -1, value('v'))).toBe(true);
    expect(tracing.openSpans).toBe(0);
    expect(text(['messaging.destination.partition.id'])).toBe('send orders PRODUCER');
    const [message] = await stored(1);
    expect(header(message, 'traceparent')).toHaveLength(1);
  });

  test("reports bring the application's own opaque values back", async () => {
    const opaques = [{ id: 1 }, 'text', 0, null, undefined];
    const seen = await reports(opaques.length, () => {
      for (const opaque of opaques) producer.produce(topic, 0, value('v'), null, null, opaque);
    });
    expect(seen.map(([, { opaque }]) => opaque)).toEqual(opaques);
    expect(seen[0]?.[1].opaque).toBe(opaques[0]);
    expect(Object.keys(seen[4]?.[1] ?? {})).not.toContain('opaque');
  });

  test('a report that comes after the instrumentation was switched off has its opaque value and ends its span', async () => {
    const seen = await reports(1, () => {
      producer.produce(topic, 0, value('v'), null, null, 'mine');
      instrumentation.disable();
    });
    instrumentation.enable();
    expect(seen[0]?.[1].opaque).toBe('mine');
    expect(text()).toBe('send orders PRODUCER');
  });

  const ODD = [null, undefined, 7];
  const produceOdd = (odd: unknown) =>
    producer.produce(topic, null, value('v'), null, null, undefined, [{ Traceparent: odd }]);
  if (manner.refusesOddHeaders) {
    test('headers that the client refuses are refused, also in the place of the context', () => {
      for (const odd of ODD) expect(() => produceOdd(odd)).toThrow('Header value must be a string or buffer');
    });
  } else {
    test('headers that the client makes text of are sent so, also in the place of the context', async () => {
      await reports(ODD.length, () => {
        for (const odd of ODD) expect(produceOdd(odd)).toBe(true);
      });
      expect((await stored(ODD.length)).map((message) => header(message, 'Traceparent'))).toEqual(
        ODD.map((odd) => [String(odd)]),
      );
    });
  }

  test('headers are a list of objects with one name each; the given list stays as it was', async () => {
    const headers = Object.freeze([Object.freeze({ tenant: 'a' }), Object.freeze({ tag: value('x') }), { tag: 'y' }]);
    await reports(1, () => producer.produce(topic, null, value('v'), null, null, undefined, headers));
    const [message] = await stored(1);
    expect(message?.headers?.map((one) => Object.keys(one))).toEqual([['tenant'], ['tag'], ['tag'], ['traceparent']]);
    expect(header(message, 'tag')).toEqual(['x', 'y']);
    expect(header(message, 'traceparent')?.[0]?.slice(36, 52)).toBe(tracing.spans()[0]?.spanContext().spanId);
    expect(headers).toHaveLength(3);
  });

  test('tombstones are marked, keys are recorded with captureMessageKey only', async () => {
    await reports(1, () => producer.produce(topic, null, null, 'k'));
    instrumentation.setConfig({ captureMessageKey: true });
    await reports(1, () => producer.produce(topic, null, value('v'), Buffer.from('k2')));
    expect(text(['kafka.message.tombstone', 'kafka.message.key'])).toBe(
      ['send orders PRODUCER {kafka.message.tombstone=true}', 'send orders PRODUCER {kafka.message.key=k2}'].join('\n'),
    );
  });

  test('what produce throws is the same as without us, and its code is on the span', async () => {
    const large = () => producer.produce(topic, null, Buffer.alloc(2_000_000));
    const observed = await sameOutcome(instrumentation, large);
    expect(observed.manner).toBe('threw');
    expect(text()).toBe('send orders PRODUCER !ERR_MSG_SIZE_TOO_LARGE');
  });

  test('a message that the broker refuses: the error of its report is on the span', async () => {
    topic = await makeTopic([{ name: 'max.message.bytes', value: '200' }]);
    const [[error] = []] = await reports(1, () => producer.produce(topic, null, Buffer.alloc(1_000)));
    expect(error).toBeInstanceOf(Error);
    const codes = Object.entries(client.CODES.ERRORS);
    const [name] = codes.find(([, code]) => code === (error as { code: number }).code) ?? [];
    expect(text()).toBe(`send orders PRODUCER !${name}`);
  });

  test('disconnecting ends what no report has come for', async () => {
    const leaving = await cluster.producer({ dr_cb: true, 'linger.ms': 5_000 });
    leaving.setPollInterval(0);
    leaving.produce(topic, null, value('v'));
    await disconnected(leaving);
    expect(tracing.openSpans).toBe(0);
  });

  test('the producer that calls back after each message makes one span for each', async () => {
    const high = await cluster.producer({}, client.HighLevelProducer);
    const answered = await new Promise((resolve, reject) => {
      high.produce(topic, null, value('v'), 'k', Date.now(), (error: unknown, offset: unknown) =>
        error ? reject(error) : resolve(offset),
      );
    });
    expect(answered).toBe(0);
    expect(text()).toBe('send orders PRODUCER');
    await disconnected(high);
  });

  test('subclasses are traced as what they extend', async () => {
    class Shop extends client.Producer {
      override produce(...args: unknown[]): unknown {
        return super.produce(topic, ...args);
      }
    }
    const shop = await cluster.producer({ dr_cb: true }, Shop);
    expect(shop).toBeInstanceOf(client.Producer);
    await reports(1, () => shop.produce(null, value('v')), shop);
    expect(text()).toBe('send orders PRODUCER');
  });

  test('a flow with listeners and a callback: one span for each message, with all of them in it', async () => {
    await reports(1, () => producer.produce(topic, null, value('v')));
    const consumer = await cluster.consumer([topic]);
    const inside: (string | undefined)[] = [];
    const note = () => {
      inside.push(trace.getSpan(context.active())?.spanContext().spanId);
    };
    consumer.on('data', note);
    consumer.once('data', note);
    consumer.consume((_error: unknown, message?: RdMessage) => message && note());
    await eventually('the handlers', () => inside.length === 3);
    expect(text(['messaging.consumer.group.name', 'kafka.offset']).replace(/group-[^}]*/, 'a group')).toBe(
      [
        'send orders PRODUCER {kafka.offset=0}',
        '└─ process orders CONSUMER {messaging.consumer.group.name=a group} {kafka.offset=0}  → send orders',
      ].join('\n'),
    );
    expect(new Set(inside)).toEqual(new Set([tracing.spans()[1]?.spanContext().spanId]));
    const points = (await tracing.metrics()).find(({ descriptor }) => descriptor.name.includes('consumed'))?.dataPoints;
    expect(points?.map((point) => point.value)).toEqual([1]);
  });

  test('an asynchronous listener: its span is as long as its promise, and has its error', async () => {
    await reports(1, () => producer.produce(topic, null, value('v')));
    const consumer = await cluster.consumer([topic]);
    let release = () => {};
    consumer.on('data', async () => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    });
    consumer.consume();
    await eventually('the handler', () => tracing.openSpans === 1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(tracing.openSpans).toBe(1);
    release();
    await eventually('the span', () => tracing.openSpans === 0);
  });

  test('listeners are found and removed by what they stand for', async () => {
    const consumer = await cluster.consumer([topic]);
    const first = () => {};
    const second = () => {};
    consumer.on('data', first);
    consumer.once('data', second);
    expect(consumer.listeners('data')).toEqual([first, second]);
    consumer.removeListener('data', second);
    consumer.removeListener('data', first);
    expect(consumer.listeners('data')).toEqual([]);
  });

  test('a poll of two topics: its span links to all messages, and each is handled in its own trace', async () => {
    const other = await makeTopic();
    await reports(2, () => {
      producer.produce(topic, null, value('1'));
      producer.produce(other, null, value('2'));
    });
    const consumer = await cluster.consumer([topic, other]);
    const handled: string[] = [];
    const poll = (): Promise<void> =>
      new Promise((resolve) => {
        consumer.consume(10, async (_error: unknown, messages: RdMessage[]) => {
          for (const message of messages) {
            await null;
            trace.getTracer('application').startSpan('work').end();
            handled.push(String(message.value));
          }
          resolve();
        });
      });
    while (handled.length < 2) await poll();
    await eventually('the spans', () => tracing.openSpans === 0);
    const sends = tracing.spans().filter(({ name }) => name.startsWith('send'));
    for (const send of sends) {
      const own = tracing.spans().filter((span) => span.spanContext().traceId === send.spanContext().traceId);
      expect(own.map(({ name }) => name.replace(/ .*/, '')).sort()).toEqual(['process', 'send', 'work']);
      const process = own.find(({ name }) => name.startsWith('process'));
      expect(process?.name).toBe(send.name.replace('send', 'process'));
      expect(process?.attributes['messaging.destination.partition.id']).toBe('0');
      expect(own.find(({ name }) => name === 'work')?.parentSpanContext?.spanId).toBe(process?.spanContext().spanId);
    }
    const polls = tracing.spans().filter(({ name }) => name.startsWith('poll'));
    expect(polls.flatMap(({ links }) => links.map((link) => link.context.spanId)).sort()).toEqual(
      sends.map((send) => send.spanContext().spanId).sort(),
    );
  });

  test.each(['for await', 'data'])(
    'a stream of a consumer, taken by %s: a span for each message, none for polls',
    async (way) => {
      await reports(2, () => {
        producer.produce(topic, null, value('1'));
        producer.produce(topic, null, value('2'));
      });
      const stream = client.createReadStream(
        { ...common(), 'group.id': `group-${topic}` },
        { 'auto.offset.reset': 'earliest' },
        { topics: [topic], waitInterval: 0, fetchSize: 10 },
      );
      stream.consumer.setDefaultConsumeTimeout(20);
      const seen: (string | undefined)[] = [];
      const take = async () => {
        await null;
        seen.push(trace.getSpan(context.active())?.spanContext().spanId);
      };
      if (way === 'data') {
        stream.on('data', take);
        await eventually('the messages', () => seen.length === 2);
      } else {
        for await (const _ of stream) {
          await take();
          if (seen.length === 2) break;
        }
      }
      await eventually('the spans', () => tracing.openSpans === 0);
      const one = ['send orders PRODUCER', '└─ process orders CONSUMER  → send orders'];
      expect(text()).toBe([...one, ...one].join('\n'));
      expect(seen).toEqual(
        tracing.spans().flatMap((span) => (span.name.startsWith('process') ? [span.spanContext().spanId] : [])),
      );
      await new Promise<void>((resolve) => stream.close(resolve));
    },
  );

  test('how many records of a partition the application has not got yet, and zero once the partition is gone', async () => {
    await reports(5, () => {
      for (let i = 0; i < 5; i++) producer.produce(topic, null, value(`${i}`));
    });
    const consumer = await cluster.consumer([topic]);
    let got = 0;
    const poll = async (count: number) => {
      while (got < count) {
        const messages = await new Promise<RdMessage[]>((resolve, reject) => {
          consumer.consume(count - got, (error: unknown, list: RdMessage[]) => (error ? reject(error) : resolve(list)));
        });
        got += messages.length;
      }
    };
    const lag = async () => {
      const gauge = (await tracing.metrics()).find(
        ({ descriptor }) => descriptor.name === 'kafka.consumer.records_lag',
      );
      return gauge?.dataPoints.map(({ attributes, value }) => [attributes['messaging.destination.name'], value]);
    };
    await poll(2);
    expect(await lag()).toEqual([[topic, 3]]);
    await poll(5);
    expect(await lag()).toEqual([[topic, 0]]);
    await reports(1, () => producer.produce(topic, null, value('late')));
    await disconnected(consumer);
    expect(await lag()).toEqual([[topic, 0]]);
  });

  test('a message that its handler sends on to a retry topic says how often it was tried', async () => {
    await reports(1, () => producer.produce(topic, null, value('v')));
    const consumer = await cluster.consumer([topic]);
    consumer.on('data', ({ headers }: RdMessage) => {
      producer.produce(`${topic}.retry`, null, value('v'), null, null, undefined, headers);
    });
    consumer.consume();
    await eventually('the retry', () => tracing.spans().length === 3);
    const [message] = await stored(1, `${topic}.retry`);
    expect(header(message, 'otel-messaging-retry-count')).toEqual(['1']);
    const retried = await cluster.consumer([`${topic}.retry`]);
    retried.on('data', () => {});
    retried.consume();
    await eventually('the attempt', () => tracing.spans().length === 4);
    expect(text(['messaging.message.retry.count'])).toBe(
      [
        'send orders PRODUCER',
        '└─ process orders CONSUMER  → send orders',
        '   └─ send orders.retry PRODUCER',
        '      └─ process orders.retry CONSUMER {messaging.message.retry.count=1}  → send orders.retry',
      ].join('\n'),
    );
  });

  test('commits have spans with settleSpans only', async () => {
    await reports(1, () => producer.produce(topic, null, value('v')));
    instrumentation.setConfig({ settleSpans: true });
    const consumer = await cluster.consumer([topic], { 'enable.auto.commit': false });
    let isDone = false;
    consumer.on('data', (message: RdMessage) => {
      consumer.commitMessage(message);
      consumer.commitSync({ topic, partition: 0, offset: message.offset + 1 });
      isDone = true;
    });
    consumer.consume();
    await eventually('the commits', () => isDone);
    expect(text(['kafka.offset'])).toBe(
      [
        'send orders PRODUCER {kafka.offset=0}',
        '└─ process orders CONSUMER {kafka.offset=0}  → send orders',
        '   ├─ commit orders CLIENT {kafka.offset=1}',
        '   └─ commit orders CLIENT {kafka.offset=1}',
      ].join('\n'),
    );
  });

  describe('offsets that are sent to a transaction', () => {
    /** A producer with a transaction that has begun. */
    async function begun(): Promise<RdProducer> {
      const transactional = await cluster.producer({ dr_cb: true, 'transactional.id': `tx-${topic}` });
      await called((callback) => transactional.initTransactions(5_000, callback));
      await called((callback) => transactional.beginTransaction(callback));
      return transactional;
    }
    const aborted = (transactional: RdProducer) =>
      called((callback) => transactional.abortTransaction(5_000, callback));
    const offsets = () => [{ topic, partition: 0, offset: 3 }];

    test('have a span each with settleSpans, that ends with the callback', async () => {
      instrumentation.setConfig({ settleSpans: true });
      const consumer = await cluster.consumer([topic], { 'group.id': `group-${topic}` });
      const transactional = await begun();
      const given = Object.freeze(offsets().map(Object.freeze));
      await called((callback) => {
        transactional.sendOffsetsToTransaction(given, consumer, callback);
        expect(tracing.openSpans).toBe(1);
      });
      await called((callback) => transactional.sendOffsetsToTransaction(given, consumer, 5_000, callback));
      await aborted(transactional);
      const line = 'commit orders CLIENT {kafka.offset=3} {messaging.consumer.group.name=group-orders}';
      expect(text(['kafka.offset', 'messaging.consumer.group.name'])).toBe([line, line].join('\n'));
      expect(tracing.spans()[0]?.attributes).toMatchObject({
        'messaging.client.id': 'shop',
        'messaging.destination.partition.id': '0',
        'server.address': '127.0.0.1',
      });
    });

    test('have none without', async () => {
      const consumer = await cluster.consumer([topic]);
      const transactional = await begun();
      await called((callback) => transactional.sendOffsetsToTransaction(offsets(), consumer, callback));
      await aborted(transactional);
      expect(text()).toBe('');
    });

    test('and refused: the same error as without us, and its code on the span', async () => {
      instrumentation.setConfig({ settleSpans: true });
      const consumer = await cluster.consumer([topic]);
      const transactional = await begun();
      await aborted(transactional);
      const send = () =>
        called((callback) => transactional.sendOffsetsToTransaction(offsets(), consumer, 1_000, callback));
      const observed = await sameOutcome(instrumentation, send);
      expect(observed.manner).toBe('rejected');
      expect(text()).toBe('commit orders CLIENT !ERR__STATE');
    });

    test("without a consumer meet the client's own error", async () => {
      instrumentation.setConfig({ settleSpans: true });
      const transactional = await begun();
      const send = () => transactional.sendOffsetsToTransaction(offsets(), undefined, () => {});
      const observed = await sameOutcome(instrumentation, send);
      expect(observed.manner).toBe('threw');
      await aborted(transactional);
      expect(text()).toBe('');
    });
  });
}

/** The promise of a call that answers by a callback. */
function called(call: (callback: (error: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    call((error) => (error ? reject(error) : resolve()));
  });
}
