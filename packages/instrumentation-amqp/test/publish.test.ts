/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { deepFreeze } from '@otel-messaging/test-utils';
import type { GetMessage, Options } from 'amqplib';
import { amqplib, instrumentation } from './amqplib';
import { brokerUrl } from './broker';
import { consuming, session } from './session';

test('sendToQueue and publish make one span each, and the handler is in their trace', () =>
  session(async ({ tracing, channel, queue, traces }) => {
    await tracing.inSpan('app', async () => {
      channel.sendToQueue(queue, Buffer.from('one'));
      channel.publish('amq.direct', 'nowhere', Buffer.from('two'));
    });
    await consuming(channel, queue, (message, done) => {
      channel.ack(message);
      done(undefined);
    });
    expect(traces()).toBe(
      [
        'app INTERNAL',
        '├─ publish queue PRODUCER',
        '│  └─ consume queue CONSUMER  → publish queue',
        '└─ publish amq.direct:nowhere PRODUCER',
      ].join('\n'),
    );
  }));

test('attributes say what, where and to whom; metrics have no routing key and no message', () =>
  session(async ({ tracing, channel, queue }) => {
    channel.sendToQueue(queue, Buffer.from('one'), { messageId: 'm-1', correlationId: 'c-1' });
    const port = Number(new URL(brokerUrl()).port);
    expect(tracing.spans()[0]?.attributes).toEqual({
      'messaging.system.name': 'rabbitmq',
      'messaging.operation.name': 'publish',
      'messaging.operation.type': 'send',
      'messaging.destination.name': queue,
      'rabbitmq.destination.routing_key': queue,
      'messaging.message.id': 'm-1',
      'messaging.message.conversation_id': 'c-1',
      'server.address': '127.0.0.1',
      'server.port': port,
      'network.peer.address': '127.0.0.1',
      'network.peer.port': port,
    });
    const sent = (await tracing.metrics()).find(
      ({ descriptor }) => descriptor.name === 'messaging.client.sent.messages',
    );
    expect(sent?.dataPoints[0]?.attributes).toEqual({
      'messaging.system.name': 'rabbitmq',
      'messaging.operation.name': 'publish',
      'messaging.destination.name': queue,
      'server.address': '127.0.0.1',
      'server.port': port,
    });
  }));

test('dup adds the names that dashboards for the older instrumentation query', () =>
  session(
    async ({ tracing, channel, queue }) => {
      instrumentation.setConfig({ semconv: 'dup' });
      channel.publish('amq.topic', queue, Buffer.from('one'));
      expect(tracing.spans()[0]?.attributes).toMatchObject({
        'messaging.system': 'rabbitmq',
        'messaging.destination': 'amq.topic',
        'messaging.destination_kind': 'topic',
        'messaging.rabbitmq.routing_key': queue,
        'messaging.protocol': 'AMQP',
        'messaging.protocol_version': '0.9.1',
      });
    },
    { contract: false }, // which knows today's names only
  ));

test('no credentials are recorded, whatever characters they have', () =>
  session(async ({ tracing }) => {
    const url = new URL(brokerUrl());
    for (const user of ['gu:est', 'gu@est', 'gu%2Fest']) {
      await expect(amqplib.connect(`amqp://${user}:topsecret@${url.host}`)).rejects.toThrow();
    }
    const connection = await amqplib.connect(brokerUrl());
    (await connection.createChannel()).sendToQueue('nowhere', Buffer.from('one'));
    await connection.close();
    expect(JSON.stringify(tracing.spans().map(({ name, attributes }) => [name, attributes]))).not.toMatch(
      /guest|secret/,
    );
  }));

test.each([
  ['stores what is set', (target: object, name: PropertyKey, value: unknown) => Reflect.set(target, name, value)],
  ['refuses to be set', () => false],
])('headers that are a proxy which %s stay as they are, and each message has its own context', (_, set) =>
  session(async ({ tracing, channel, confirms, queue }) => {
    const headers = new Proxy({ own: 'x' } as Record<string, unknown>, { set });
    const carried: (string | undefined)[] = [];
    for (const name of ['one', 'two']) {
      await tracing.inSpan(name, () => void confirms.sendToQueue(queue, Buffer.from(name), { headers }));
      await confirms.waitForConfirms();
      const { properties } = (await channel.get(queue, { noAck: true })) as GetMessage;
      carried.push(String(properties.headers?.['traceparent']).split('-')[2]);
    }
    expect(Object.keys(headers)).toEqual(['own']);
    const sent = tracing.spans().filter(({ name }) => name.startsWith('publish'));
    expect(carried).toEqual(sent.map((span) => span.spanContext().spanId));
  }),
);

test('publish gives what amqplib gives: true, and false when its buffer is full, which is no error', () =>
  session(async ({ connection, queue, tracing }) => {
    const observed = await connection.createChannel({ highWaterMark: 2 } as never);
    const results = () => [1, 2, 3].map(() => observed.sendToQueue(queue, Buffer.alloc(10)));
    const traced = results();
    await new Promise((resolve) => observed.once('drain', resolve));
    instrumentation.disable();
    expect(traced).toEqual(results());
    expect(traced).toContain(false);
    expect(tracing.spans().map(({ status }) => status.code)).toEqual([0, 0, 0]);
  }));

describe('what amqplib refuses, it refuses as without us, and the span ends', () => {
  const thrower = {
    get headers(): never {
      throw new Error('hostile');
    },
  };
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const cases: readonly [string, unknown[], number][] = [
    ['content that is no buffer', ['', 'queue', 'text'], 1],
    ['content that is missing', ['', 'queue'], 1],
    ['headers that are text', ['', 'queue', Buffer.from('x'), { headers: 'text' }], 1],
    ['headers with a value of no type', ['', 'queue', Buffer.from('x'), { headers: { a: Symbol('x') } }], 1],
    ['a header name that is too long', ['', 'queue', Buffer.from('x'), { headers: { ['n'.repeat(256)]: 'x' } }], 1],
    ['an option of the wrong type', ['', 'queue', Buffer.from('x'), { messageId: {} }], 1],
    ['a getter that throws', ['', 'queue', Buffer.from('x'), thrower], 0],
    ['a revoked proxy', ['', 'queue', Buffer.from('x'), revoked.proxy], 0],
    ['an exchange that is no string', [{}, 'queue', Buffer.from('x')], 0],
    ['an exchange of null', [null, 'queue', Buffer.from('x')], 1],
    ['a routing key that is too long', ['', 'x'.repeat(256), Buffer.from('x')], 1],
    ['no arguments', [], 1],
  ];
  test.each(cases)('%s', (_, args, spans) =>
    session(async ({ tracing, channel, confirms }) => {
      for (const each of [channel, confirms]) {
        tracing.reset();
        const call = () => (each.publish as (...args: unknown[]) => unknown)(...args);
        const traced = errorOf(call);
        expect([tracing.spans().length, tracing.openSpans]).toEqual([spans, 0]);
        instrumentation.disable();
        expect(traced).toEqual(errorOf(call));
        instrumentation.enable();
      }
    }),
  );

  test('a channel that is closed', () =>
    session(async ({ tracing, channel, queue, traces }) => {
      await channel.close();
      expect(errorOf(() => channel.sendToQueue(queue, Buffer.from('x')))).toBe('IllegalOperationError: Channel closed');
      expect(traces()).toBe('publish queue PRODUCER !IllegalOperationError');
      expect(tracing.openSpans).toBe(0);
    }));
});

describe("the application's options", () => {
  class Defaults {
    #tenant = 'a';
    readonly persistent = true;
    get headers() {
      return { tenant: this.#tenant };
    }
  }
  const cases: readonly [string, unknown, Record<string, unknown>][] = [
    ['undefined', undefined, {}],
    ['null', null, {}],
    ['true', true, {}],
    ['frozen', deepFreeze({ headers: { tenant: 'a' } }), { tenant: 'a' }],
    ['frozen, with a stale context', deepFreeze({ headers: { TraceParent: 'stale', tenant: 'a' } }), { tenant: 'a' }],
    ['an instance with private fields', new Defaults(), { tenant: 'a' }],
    ['below others', Object.create({ headers: { tenant: 'a' } }), { tenant: 'a' }],
    ['with headers that are a list', { headers: ['a'] }, { 0: 'a' }],
    ['with an entry called __proto__', { headers: JSON.parse('{"__proto__": {"a": 1}}') }, {}],
    ['with copies', { CC: ['elsewhere'] }, { CC: ['elsewhere'] }],
  ];
  test.each(cases)('%s: arrive as without us, with the context besides', (_, options, expected) =>
    session(async ({ channel, queue }) => {
      const before = JSON.stringify(options);
      channel.sendToQueue(queue, Buffer.from('one'), options as Options.Publish);
      const headers = await consuming<Record<string, unknown>>(channel, queue, (message, done) =>
        done(message.properties.headers as Record<string, unknown>),
      );
      const { traceparent, ...others } = headers;
      expect(traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      expect({ ...others }).toEqual(expected);
      expect(JSON.stringify(options)).toBe(before);
    }),
  );

  test('a getter among them that publishes too: each message has the context of its own span', () =>
    session(async ({ channel, queue, tracing }) => {
      const options = {
        get messageId() {
          channel.sendToQueue(queue, Buffer.from('inner'), { messageId: 'inner' });
          return 'outer';
        },
      };
      channel.sendToQueue(queue, Buffer.from('outer'), options);
      const contexts: Record<string, unknown> = {};
      await consuming<void>(channel, queue, (message, done) => {
        contexts[message.content.toString()] = message.properties.headers?.['traceparent'];
        if (message.content.toString() === 'outer') done();
      });
      const spanIds = tracing.spans().map((span) => span.spanContext().spanId);
      expect(spanIds).toContain(String(contexts['inner']).slice(36, 52));
      expect(spanIds).toContain(String(contexts['outer']).slice(36, 52));
      expect(contexts['inner']).not.toBe(contexts['outer']);
    }));
});

describe('no publish fails that would have succeeded', () => {
  test.each([
    ['a table with room for a context', 65_532 - 9 - 72, 'PRODUCER'],
    ['a table with one byte less', 65_532 - 9 - 71, 'CLIENT'],
    ['a table without room', 65_532 - 9, 'CLIENT'],
  ])('%s', (_, size, kind) =>
    session(async ({ channel, queue, traces }) => {
      channel.sendToQueue(queue, Buffer.from('one'), { headers: { own: 'x'.repeat(size) } });
      await consuming<void>(channel, queue, (_message, done) => done(), { noAck: true });
      expect(traces()).toMatch(new RegExp(`^publish queue ${kind}`));
    }),
  );

  test('a small frame that was agreed on', () =>
    session(async ({ queue, tracing }) => {
      const connection = await amqplib.connect(`${brokerUrl()}?frameMax=4096`);
      const channel = await connection.createChannel();
      for (const size of [3900, 3950, 4000, 4040]) {
        channel.sendToQueue(queue, Buffer.from('one'), { headers: { own: 'x'.repeat(size) } });
      }
      let seen = 0;
      await consuming<void>(channel, queue, (_message, done) => ++seen === 4 && done(), { noAck: true });
      await connection.close();
      expect(tracing.openSpans).toBe(0);
    }));
});

test('headers of a received message are passed on with the new context, and stay as they were received', () =>
  session(async ({ channel, queue, publish, traces }) => {
    await publish('one', { headers: { tenant: 'a' } });
    const headers: unknown[] = [];
    await consuming<void>(channel, queue, async (message, done) => {
      const before = JSON.stringify(message.properties);
      if (headers.length === 0) channel.sendToQueue(queue, message.content, message.properties);
      if (headers.length === 1) channel.sendToQueue(queue, message.content, { headers: message.properties.headers });
      headers.push(message.properties.headers?.['tenant']);
      expect(JSON.stringify(message.properties)).toBe(before);
      channel.ack(message);
      if (headers.length === 3) done();
    });
    await new Promise(setImmediate);
    expect(headers).toEqual(['a', 'a', 'a']);
    expect(traces()).toBe(
      [
        'publish queue PRODUCER',
        '└─ consume queue CONSUMER  → publish queue',
        '   └─ publish queue PRODUCER',
        '      └─ consume queue CONSUMER  → publish queue',
        '         └─ publish queue PRODUCER',
        '            └─ consume queue CONSUMER  → publish queue',
      ].join('\n'),
    );
  }));

function errorOf(call: () => unknown): string {
  try {
    return `returned ${String(call())}`;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}
