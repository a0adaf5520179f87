/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context, SpanKind, trace } from '@opentelemetry/api';
import {
  eventually,
  type Line,
  notCovered,
  startLine,
  startTracing,
  type Tracing,
  type TracingOptions,
  traceText,
  unhandledRejections,
} from '@otel-messaging/test-utils';
import type { AmqpConnectionManager, ChannelWrapper, CreateChannelOpts } from 'amqp-connection-manager';
import type { Channel, ConsumeMessage } from 'amqplib';
import { amqplib, connectionManager, instrumentation } from './amqplib';
import { brokerUrl, freshName } from './broker';

interface Wrapped {
  readonly tracing: Tracing;
  readonly line: Line;
  readonly manager: AmqpConnectionManager;
  readonly wrapper: ChannelWrapper;
  readonly queue: string;
  traces(attributes?: readonly string[]): string;
  /** Cuts the line, and waits until the manager knows. */
  outage(): Promise<void>;
}

async function wrapped(
  code: (wrapped: Wrapped) => Promise<void>,
  channelOptions: CreateChannelOpts = {},
  tracingOptions?: TracingOptions,
): Promise<void> {
  const tracing = startTracing([instrumentation], tracingOptions);
  const toBroker = await startLine(brokerUrl());
  const queue = freshName('queue');
  const manager = connectionManager.connect([toBroker.url], { reconnectTimeInSeconds: 0.05 });
  const wrapper = manager.createChannel({
    ...channelOptions,
    setup: (channel: Channel) => channel.assertQueue(queue, { expires: 60_000 }),
  });
  wrapper.on('error', () => {});
  try {
    await wrapper.waitForConnect();
    await code({
      tracing,
      line: toBroker,
      manager,
      wrapper,
      queue,
      traces: (attributes) =>
        traceText(tracing.spans(), { attributes, rename: (text) => text.replaceAll(queue, 'queue') }),
      outage: async () => {
        toBroker.cut();
        await eventually('the manager knows of the outage', () => !manager.isConnected());
      },
    });
  } finally {
    instrumentation.enable();
    instrumentation.setConfig({});
    await manager.close().catch(() => {});
    await toBroker.close();
    await tracing.stop();
  }
}

/** Consumes until the handler has been called that often; what it was called with. */
async function consumed(
  wrapper: ChannelWrapper,
  queue: string,
  count: number,
  handler: (message: ConsumeMessage) => unknown = (message) => wrapper.ack(message),
): Promise<ConsumeMessage[]> {
  const messages: ConsumeMessage[] = [];
  await wrapper.consume(queue, (message) => {
    messages.push(message);
    handler(message);
  });
  await eventually(`${count} messages`, () => messages.length >= count);
  return messages;
}

test('a publish that waits for an outage to end is in the trace of its caller, and as long as the outage', () =>
  wrapped(async ({ tracing, line, wrapper, queue, traces, outage }) => {
    await outage();
    const answers = ['A', 'B'].map((name) =>
      tracing.inSpan(name, () => ({ answer: wrapper.sendToQueue(queue, Buffer.from(name)) })),
    );
    const queued = await Promise.all(answers);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(tracing.openSpans).toBe(2);
    line.mend();
    for (const { answer } of queued) expect(await answer).toBe(true);
    await consumed(wrapper, queue, 2);
    await eventually('all spans end', () => tracing.openSpans === 0);
    expect(traces()).toBe(
      ['A', 'B']
        .map((name) =>
          [`${name} INTERNAL`, '└─ publish queue PRODUCER', '   └─ consume queue CONSUMER  → publish queue'].join('\n'),
        )
        .join('\n'),
    );
    for (const { name, duration, attributes } of tracing.spans().filter(({ kind }) => kind === SpanKind.PRODUCER)) {
      expect([name, duration[0] + duration[1] / 1e9 > 0.15]).toEqual([`publish ${queue}`, true]);
      expect(attributes).toMatchObject({
        'server.address': '127.0.0.1',
        'server.port': Number(new URL(line.url).port),
        'network.peer.address': '127.0.0.1',
      });
    }
  }));

test('a message whose confirm is lost with the connection has one span, which says what the caller is told', () =>
  wrapped(async ({ tracing, line, wrapper, queue, traces, outage }) => {
    line.silenceBroker();
    const { answer } = await tracing.inSpan('app', () => ({
      answer: wrapper.publish('', queue, Buffer.from('one')).catch((error) => error.message),
    }));
    await outage();
    expect(await answer).toBe('channel closed');
    expect([tracing.openSpans, traces()]).toEqual([0, 'app INTERNAL\n└─ publish queue PRODUCER !Error']);
    const sent = (await tracing.metrics()).find(
      ({ descriptor }) => descriptor.name === 'messaging.client.sent.messages',
    );
    expect(sent?.dataPoints.map(({ value, attributes }) => [value, attributes['error.type']])).toEqual([[1, 'Error']]);
  }));

test('a message that the wrapper sends again has one span all the same', () =>
  wrapped(async ({ tracing, line, manager, wrapper, queue, traces, outage }) => {
    line.silenceBroker();
    const { answer } = await tracing.inSpan('app', () => ({ answer: wrapper.publish('', queue, Buffer.from('one')) }));
    await eventually('the broker has it, though nobody knows', async () => (await countIn(queue)) === 1);
    // As where the manager knows of the outage before amqplib does.
    manager.emit('disconnect', { err: new Error('outage') });
    await outage();
    line.mend();
    await answer;
    const messages = await consumed(wrapper, queue, 2);
    expect(messages.map(({ content }) => content.toString())).toEqual(['one', 'one']);
    await eventually('all spans end', () => tracing.openSpans === 0);
    expect(traces()).toBe(
      [
        'app INTERNAL',
        '└─ publish queue PRODUCER',
        '   ├─ consume queue CONSUMER  → publish queue',
        '   └─ consume queue CONSUMER  → publish queue',
      ].join('\n'),
    );
    const sent = (await tracing.metrics()).find(
      ({ descriptor }) => descriptor.name === 'messaging.client.sent.messages',
    );
    expect(sent?.dataPoints.map(({ value }) => value)).toEqual([1]);
  }));

test.each(['channel', 'manager'])(
  'a %s that is closed while messages wait ends their spans, and every caller is told',
  (what) =>
    wrapped(async ({ tracing, manager, wrapper, queue, traces, outage }) => {
      await outage();
      const answers = [1, 2, 3].map((body) =>
        wrapper.sendToQueue(queue, Buffer.from(String(body))).then(
          () => 'sent',
          (error) => error.message,
        ),
      );
      expect(tracing.openSpans).toBe(3);
      const closing = (what === 'channel' ? wrapper : manager).close();
      await Promise.all([closing, ...answers]);
      expect(await Promise.all(answers)).toEqual(['Channel closed', 'Channel closed', 'Channel closed']);
      expect(tracing.openSpans).toBe(0);
      expect(traces()).toBe(Array(3).fill('publish queue PRODUCER !Error').join('\n'));
    }),
);

test('what is published on a closed channel is never sent nor answered, and has no span', () =>
  wrapped(async ({ tracing, wrapper, queue }) => {
    const closing = wrapper.close();
    const lastMinute = wrapper.sendToQueue(queue, Buffer.from('one')).catch(({ message }) => message);
    await closing;
    expect(['Channel closed', true]).toContain(await lastMinute);
    expect([tracing.openSpans, tracing.spans().length]).toEqual([0, 1]);
    let isAnswered = false;
    void wrapper.sendToQueue(queue, Buffer.from('two')).finally(() => {
      isAnswered = true;
    });
    await new Promise(setImmediate);
    expect([isAnswered, tracing.openSpans, tracing.spans().length]).toEqual([false, 0, 1]);
  }));

test('a publish that times out in the queue is an error', () =>
  wrapped(async ({ tracing, wrapper, queue, traces, outage }) => {
    await outage();
    await expect(wrapper.sendToQueue(queue, Buffer.from('one'), { timeout: 20 })).rejects.toThrow('timeout');
    expect([tracing.openSpans, traces()]).toEqual([0, 'publish queue PRODUCER !Error']);
  }));

test('callbacks are called as without us, and the span ends with them', () =>
  wrapped(async ({ tracing, wrapper, queue, outage }) => {
    const answer = await tracing.inSpan(
      'app',
      () =>
        new Promise((resolve) => {
          const result = wrapper.publish('', queue, Buffer.from('one'), {}, (error, ok) => {
            resolve([error, ok, trace.getSpan(context.active()) !== undefined, tracing.openSpans]);
          });
          expect(result).toBeNull();
        }),
    );
    // The application's own span is open until the callback has been called.
    expect(answer).toEqual([null, true, true, 1]);
    await outage();
    const closed = new Promise((resolve) => {
      void wrapper.sendToQueue(queue, Buffer.from('two'), undefined, (error) => resolve(error?.message));
    });
    await wrapper.close();
    expect(await closed).toBe('Channel closed');
    expect(tracing.openSpans).toBe(0);
  }));

test('values are encoded by the wrapper, and the size of what is sent is recorded', () =>
  wrapped(
    async ({ tracing, wrapper, queue }) => {
      instrumentation.setConfig({ captureBodySize: true });
      const options = Object.freeze({ headers: Object.freeze({ tenant: 'a' }), messageId: 'id' });
      await wrapper.sendToQueue(queue, { a: 'ä' }, options);
      const [message] = await consumed(wrapper, queue, 1);
      expect(message?.content.toString()).toBe('{"a":"ä"}');
      expect(Reflect.ownKeys(message?.properties.headers as object).sort()).toEqual(['tenant', 'traceparent']);
      const [published] = tracing.spans();
      expect(published?.attributes).toMatchObject({
        'messaging.message.body.size': 10,
        'messaging.message.id': 'id',
      });
    },
    { json: true },
  ));

test('a value that cannot be encoded meets the error of the wrapper', () =>
  wrapped(
    async ({ tracing, wrapper, queue }) => {
      const circular: Record<string, unknown> = {};
      circular['self'] = circular;
      expect(() => wrapper.sendToQueue(queue, circular)).toThrow(TypeError);
      await expect(wrapper.publish('', queue, circular)).rejects.toThrow(TypeError);
      expect(tracing.openSpans).toBe(0);
      expect(tracing.spans().map(({ attributes }) => attributes['error.type'])).toEqual(['TypeError', 'TypeError']);
    },
    { json: true },
  ));

test.each([true, false])('what amqplib refuses ends its span, though nobody gets an answer (confirms: %s)', (confirm) =>
  wrapped(
    async ({ tracing, wrapper, queue, traces }) => {
      const errors: string[] = [];
      wrapper.on('error', ({ name }) => errors.push(name));
      wrapper.sendToQueue(queue, Buffer.from('one'), { headers: 'no table' }).catch(() => {});
      expect([errors, tracing.openSpans]).toEqual([['TypeError'], 0]);
      expect(traces()).toBe('publish queue CLIENT !TypeError');
    },
    { confirm },
  ),
);

test('a channel without confirms has one span a message too', () =>
  wrapped(
    async ({ tracing, wrapper, queue, traces }) => {
      await wrapper.publish('', queue, Buffer.from('one'));
      await consumed(wrapper, queue, 1);
      await eventually('all spans end', () => tracing.openSpans === 0);
      expect(traces()).toBe('publish queue PRODUCER\n└─ consume queue CONSUMER  → publish queue');
    },
    { confirm: false },
  ));

test('a handler is covered until its promise settles, before and after a reconnect', () =>
  wrapped(async ({ tracing, line, wrapper, queue, traces, outage }) => {
    const bodies: string[] = [];
    await wrapper.consume(queue, async (message) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await tracing.inSpan(`work ${message.content}`, () => wrapper.ack(message));
      await new Promise((resolve) => setTimeout(resolve, 20));
      await tracing.inSpan('after the settlement', () => {});
      bodies.push(message.content.toString());
    });
    await wrapper.sendToQueue(queue, Buffer.from('one'));
    await eventually('the first message', () => bodies.length === 1);
    await outage();
    const second = wrapper.sendToQueue(queue, Buffer.from('two'));
    line.mend();
    await second;
    await eventually('the second message', () => bodies.length === 2);
    await eventually('all spans end', () => tracing.openSpans === 0);
    expect(traces(['messaging.message.settlement'])).toBe(
      ['one', 'two']
        .map((body) =>
          [
            'publish queue PRODUCER',
            '└─ consume queue CONSUMER {messaging.message.settlement=ack}  → publish queue',
            `   ├─ work ${body} INTERNAL`,
            '   └─ after the settlement INTERNAL',
          ].join('\n'),
        )
        .join('\n'),
    );
    expect(notCovered(tracing.spans())).toEqual([]);
  }));

test('without acknowledgements a handler is covered until its promise settles', () =>
  wrapped(async ({ tracing, wrapper, queue, traces }) => {
    let isDone = false;
    await wrapper.consume(
      queue,
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        await tracing.inSpan('work', () => {});
        isDone = true;
      },
      { noAck: true },
    );
    await wrapper.sendToQueue(queue, Buffer.from('one'));
    await eventually('the message', () => isDone && tracing.openSpans === 0);
    expect(traces()).toBe(
      ['publish queue PRODUCER', '└─ consume queue CONSUMER  → publish queue', '   └─ work INTERNAL'].join('\n'),
    );
    const handling = tracing.spans().find(({ kind }) => kind === SpanKind.CONSUMER);
    expect(seconds(handling?.duration ?? [0, 0])).toBeGreaterThan(0.015);
  }));

test('a handler that fails marks its span, and its rejection is reported as without us', () =>
  wrapped(async ({ tracing, wrapper, queue, traces }) => {
    const rejections = await unhandledRejections(async () => {
      await wrapper.consume(queue, async () => {
        await undefined;
        throw new RangeError('forgotten');
      });
      await wrapper.sendToQueue(queue, Buffer.from('one'));
      await eventually('the handler fails', () => tracing.openSpans === 0 && tracing.spans().length === 2);
    });
    expect(rejections).toEqual(['RangeError: forgotten']);
    expect(traces()).toBe('publish queue PRODUCER\n└─ consume queue CONSUMER !RangeError  → publish queue');
  }));

test('a message that a worker settles by its delivery tag ends its span', () =>
  wrapped(async ({ tracing, wrapper, queue, traces }) => {
    const tags: number[] = [];
    await wrapper.consume(queue, ({ fields }) => {
      tags.push(fields.deliveryTag);
    });
    for (const body of ['one', 'two']) await wrapper.sendToQueue(queue, Buffer.from(body));
    await eventually('both messages', () => tags.length === 2);
    expect(tracing.openSpans).toBe(2);
    // What comes back from a worker thread or a process is no more than this.
    const [one, two] = tags.map((deliveryTag) => JSON.parse(JSON.stringify({ fields: { deliveryTag } })));
    wrapper.nack(two, false, false);
    wrapper.ack(one);
    expect(tracing.openSpans).toBe(0);
    expect(traces(['messaging.message.settlement'])).toBe(
      ['ack', 'nack']
        .map((settlement) =>
          [
            'publish queue PRODUCER',
            `└─ consume queue CONSUMER {messaging.message.settlement=${settlement}}  → publish queue`,
          ].join('\n'),
        )
        .join('\n'),
    );
  }));

test('messages that are being handled when the connection is lost have spans that end, and come again', () =>
  wrapped(async ({ tracing, line, wrapper, queue, traces, outage }) => {
    const held: ConsumeMessage[] = [];
    await wrapper.consume(queue, (message) => {
      if (message.fields.redelivered) wrapper.ack(message);
      held.push(message);
    });
    await wrapper.sendToQueue(queue, Buffer.from('one'));
    await eventually('the message', () => held.length === 1);
    await outage();
    expect(tracing.openSpans).toBe(0);
    line.mend();
    await eventually('the message again', () => held.length === 2 && tracing.openSpans === 0);
    expect(traces(['messaging.message.retry.count'])).toBe(
      [
        'publish queue PRODUCER',
        '├─ consume queue CONSUMER !ChannelClosedError  → publish queue',
        '└─ consume queue CONSUMER {messaging.message.retry.count=1}  → publish queue',
      ].join('\n'),
    );
  }));

test('a context that was there at the call is kept, and linked', () =>
  wrapped(async ({ tracing, wrapper, queue }) => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await wrapper.sendToQueue(queue, Buffer.from('one'), { headers: { traceparent } });
    const [message] = await consumed(wrapper, queue, 1);
    expect(message?.properties.headers?.['traceparent']).toBe(traceparent);
    const [published] = tracing.spans();
    expect(published?.kind).toBe(SpanKind.CLIENT);
    expect(published?.links.map((link) => link.context.spanId)).toEqual(['b7ad6b7169203331']);
  }));

test('what was queued before the instrumentation was switched off goes out, and its span ends', () =>
  wrapped(async ({ tracing, line, wrapper, queue, outage }) => {
    await outage();
    const answer = wrapper.sendToQueue(queue, Buffer.from('one'), { headers: { tenant: 'a' } });
    instrumentation.disable();
    line.mend();
    await answer;
    expect(tracing.openSpans).toBe(0);
    const [message] = await consumed(wrapper, queue, 1);
    expect(message?.properties.headers).toEqual({ tenant: 'a' });
  }));

/** Messages in a queue, by a connection of its own. */
async function countIn(queue: string): Promise<number> {
  const connection = await amqplib.connect(brokerUrl());
  const { messageCount } = await (await connection.createChannel()).checkQueue(queue);
  await connection.close();
  return messageCount;
}

function seconds([whole, nanoseconds]: readonly [number, number]): number {
  return whole + nanoseconds / 1e9;
}
