/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { channel } from 'node:diagnostics_channel';
import { Readable } from 'node:stream';
import { deepFreeze, startTracing, type Tracing, traceText } from '@otel-messaging/test-utils';
import { KafkaInstrumentation } from '../src';
import { PltFormat, type PltMessage } from '../src/clients/platformatic-message';

// The real client needs Node 22 and is in no node_modules: `npm run test:versions -- platformatic` runs it, with the whole
// conformance suite. Here is what can be said without it, with classes of its shape.

const OPTIONS = Symbol('plt.kafka.base.options');
const BROKERS = Symbol('plt.kafka.base.bootstrapBrokers');

interface SendOptions {
  readonly messages: readonly PltMessage[];
}

class Producer {
  readonly clientId = 'shop';
  readonly sent: SendOptions[] = [];
  readonly [BROKERS] = [{ host: '127.0.0.1', port: 9092 }];
  readonly [OPTIONS]: object;
  currentMetadata: { readonly id: string } | undefined;

  constructor(options: object = {}) {
    this[OPTIONS] = options;
    channel('plt:kafka:instances').publish({ type: 'producer', instance: this });
  }

  async send(options: SendOptions): Promise<object> {
    this.sent.push(options);
    this.currentMetadata = { id: 'cluster' };
    return { offsets: [{ topic: 'orders', partition: 1, offset: 7n }] };
  }
}

class MessagesStream extends Readable {
  readonly consumer = { clientId: 'shop', groupId: 'billing', currentMetadata: { id: 'cluster' } };

  constructor(messages: readonly PltMessage[]) {
    super({ objectMode: true });
    for (const message of [...messages, null]) this.push(message);
    channel('plt:kafka:instances').publish({ type: 'messages-stream', instance: this });
  }

  get offsetsToFetch(): unknown {
    return undefined;
  }

  override _read(): void {}

  override [Symbol.asyncIterator]() {
    return super[Symbol.asyncIterator]();
  }
}

const { send } = Producer.prototype;
// Channels are the process's, and so are the subscriptions of instrumentations in test files that ran in it before.
for (const name of ['plt:kafka:instances', 'plt:kafka:consumer:lag'])
  Object.assign(channel(name), { _subscribers: [] });
const instrumentation = new KafkaInstrumentation();
let tracing: Tracing;

beforeEach(() => {
  tracing = startTracing([instrumentation]);
});
afterEach(async () => {
  instrumentation.enable();
  expect(tracing.openSpans).toBe(0);
  await tracing.stop();
});

const text = (attributes: string[] = []) => traceText(tracing.spans(), { attributes });
const delivered = (headers: [string, string][]): PltMessage => ({
  topic: 'orders',
  partition: 1,
  offset: 7n,
  timestamp: BigInt(Date.now()),
  value: 'v',
  headers: new Map(headers),
});

test('a class is found by the first of its instances, and put back by disable()', async () => {
  const producer = new Producer();
  expect(Producer.prototype.send).not.toBe(send);
  const options = deepFreeze({ messages: [{ topic: 'orders', value: Buffer.from('v') }] });
  await producer.send(options);
  expect(text(['server.address', 'messaging.destination.partition.id', 'kafka.offset'])).toBe(
    'send orders PRODUCER {server.address=127.0.0.1} {messaging.destination.partition.id=1} {kafka.offset=7}',
  );
  instrumentation.disable();
  expect(Producer.prototype.send).toBe(send);
  await producer.send(options);
  expect(tracing.spans()).toHaveLength(1);
});

test('clients that are made while it is off are traced when it is on', async () => {
  instrumentation.disable();
  class Other extends MessagesStream {}
  const stream = new Other([]);
  expect(Object.hasOwn(Other.prototype, 'on')).toBe(false);
  instrumentation.enable();
  for await (const _ of stream) throw new Error('empty');
  const producer = new Producer();
  await producer.send({ messages: [{ topic: 'orders', value: 'v' }] });
  expect(text()).toBe('send orders PRODUCER');
});

test('subclasses are traced as what they extend', async () => {
  class Shop extends Producer {
    override send(options: SendOptions) {
      return super.send(options);
    }
  }
  await new Shop().send({ messages: [{ topic: 'orders', value: 'v' }] });
  expect(text()).toBe('send orders PRODUCER');
});

test('headers are bytes for a producer without serializers, and what serializers take for one with', async () => {
  const message = { topic: 'orders', value: 'v' };
  const bytes = new Producer({});
  await bytes.send({ messages: [message] });
  const texts = new Producer({ serializers: { headerKey: String, headerValue: String } });
  await texts.send({ messages: [message] });
  const headers = ({ sent }: Producer) => sent[0]?.messages[0]?.headers as ReadonlyMap<unknown, unknown>;
  const [[name, value] = []] = headers(bytes);
  expect([name, value]).toEqual([Buffer.from('traceparent'), expect.any(Buffer)]);
  expect(headers(texts).get('traceparent')).toMatch(/^00-/);
});

test('a stream: each message in its own trace, with the group of its consumer', async () => {
  const producer = new Producer({ serializers: { headerKey: String, headerValue: String } });
  await producer.send({ messages: [{ topic: 'orders', value: 'v' }] });
  const sent = producer.sent[0]?.messages[0]?.headers as ReadonlyMap<string, string>;
  for await (const _ of new MessagesStream([delivered([...sent])])) tracing.openSpans;
  expect(text(['messaging.consumer.group.name'])).toBe(
    ['send orders PRODUCER', '└─ process orders CONSUMER {messaging.consumer.group.name=billing}  → send orders'].join(
      '\n',
    ),
  );
});

test('the cluster, as soon as the client knows it', async () => {
  const producer = new Producer();
  const messages = [{ topic: 'orders', value: 'v' }];
  await producer.send({ messages });
  producer.currentMetadata = undefined; // as `clearMetadata` leaves it
  await producer.send({ messages: [...messages, ...messages] });
  for await (const _ of new MessagesStream([delivered([])])) tracing.openSpans;
  expect(text(['kafka.cluster.id'])).toBe(
    [
      'send orders PRODUCER {kafka.cluster.id=cluster}',
      'create orders PRODUCER',
      'create orders PRODUCER',
      'send orders CLIENT {kafka.cluster.id=cluster}  → create orders, create orders',
      'process orders CONSUMER {kafka.cluster.id=cluster}',
    ].join('\n'),
  );
});

test('a message of a retry topic says how often it was tried', async () => {
  const message = { ...delivered([['otel-messaging-retry-count', '2']]), topic: 'orders.retry' };
  for await (const _ of new MessagesStream([message])) tracing.openSpans;
  expect(text(['messaging.message.retry.count'])).toBe(
    'process orders.retry CONSUMER {messaging.message.retry.count=2}',
  );
});

test('a second instrumentation stands down', async () => {
  const second = new KafkaInstrumentation();
  new Producer();
  await new Producer().send({ messages: [{ topic: 'orders', value: 'v' }] });
  expect(tracing.spans()).toHaveLength(1);
  second.disable();
});

test('what is published by others, and is nothing of the sort, is passed over', () => {
  for (const message of [
    undefined,
    null,
    'text',
    {},
    { type: 'producer' },
    { type: 'messages-stream', instance: {} },
  ]) {
    expect(() => channel('plt:kafka:instances').publish(message)).not.toThrow();
  }
});

describe('PltFormat', () => {
  const format = new PltFormat(
    { captureMessageKey: true, captureBodySize: true },
    { namesAreBytes: false, valuesAreBytes: false },
    false,
  );
  const outgoing = {
    fields: { traceparent: 'new' },
    stale: ['traceparent', 'tracestate'],
    spanContext: { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 },
  };

  test.each([
    ['an object', { traceparent: 'a' }],
    ['a map', new Map([['traceparent', 'a']])],
    ['a map of bytes', new Map([[Buffer.from('traceparent'), Buffer.from('a')]])],
    ['another letter case', new Map([['TraceParent', 'a']])],
  ])('reads headers of %s', (_what, headers) => {
    expect(format.get({ topic: 't', headers: headers as never }, 'traceparent')).toBe('a');
  });

  test('of several headers of a name the last valid one counts', () => {
    const valid = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
    const headerEntries = [
      ['traceparent', `00-${'3'.repeat(32)}-${'4'.repeat(16)}-01`],
      ['traceparent', valid],
      ['traceparent', 'broken'],
    ] as const;
    expect(format.get({ topic: 't', headers: new Map(), headerEntries }, 'traceparent')).toBe(valid);
  });

  test('writes into a copy, without what is stale', () => {
    const message = deepFreeze({
      topic: 't',
      value: 'v',
      headers: { tenant: 'a', TraceParent: 'old', tracestate: 'x' },
    });
    const copy = format.write(message, outgoing);
    expect([...(copy.headers as ReadonlyMap<string, string>)]).toEqual([
      ['tenant', 'a'],
      ['traceparent', 'new'],
    ]);
    expect(copy).toMatchObject({ topic: 't', value: 'v' });
    expect(message.headers).toEqual({ tenant: 'a', TraceParent: 'old', tracestate: 'x' });
  });

  test('headers of a class, which the client asks for as for any other, are kept', () => {
    class Order {
      readonly topic = 't';
      readonly #tenant = 'a';
      get headers() {
        return { tenant: this.#tenant };
      }
    }
    expect([...(format.write(new Order(), outgoing).headers as ReadonlyMap<string, string>)]).toEqual([
      ['tenant', 'a'],
      ['traceparent', 'new'],
    ]);
  });

  test('a received message that is sent on leaves its list of headers behind', () => {
    const headers = new Map([['tenant', 'a']]);
    const received = { topic: 't', value: 'v', headers, headerEntries: [['traceparent', 'old']] as const };
    expect([...(format.write(received, outgoing).headers as ReadonlyMap<string, string>)]).toEqual([
      ['tenant', 'a'],
      ['traceparent', 'new'],
    ]);
  });

  test.each([
    ['text', { key: 'k', value: 'v' }, { 'kafka.message.key': 'k' }, 1],
    ['a tombstone', { key: 'k' }, { 'kafka.message.key': 'k', 'kafka.message.tombstone': true }, undefined],
    ['objects for a serializer', { key: { id: 1 }, value: { id: 1 } }, {}, undefined],
    ['a delivered one', { value: Buffer.from('v'), offset: 3n }, { 'kafka.offset': 3 }, 1],
  ])('describes %s', (_what, record, attributes, bodySize) => {
    expect(format.describe({ topic: 't', ...record })).toEqual({ attributes, bodySize });
  });
});

test('the lag that a consumer was asked for, by partition', async () => {
  const client = { clientId: 'shop', groupId: 'billing' };
  const publish = (orders: bigint[]) =>
    channel('plt:kafka:consumer:lag').publish({ client, lag: new Map([['orders', orders]]) });
  const lags = async () => {
    const gauge = (await tracing.metrics()).find(({ descriptor }) => descriptor.name === 'kafka.consumer.records_lag');
    return gauge?.dataPoints.map(({ attributes, value }) => [attributes['messaging.destination.partition.id'], value]);
  };
  publish([3n, -1n, -2n]);
  expect(await lags()).toEqual([['0', 3]]);
  publish([-1n, 4n, -2n]);
  expect(await lags()).toEqual(
    expect.arrayContaining([
      ['0', 0],
      ['1', 4],
    ]),
  );
  expect(() => channel('plt:kafka:consumer:lag').publish(null)).not.toThrow();
});
