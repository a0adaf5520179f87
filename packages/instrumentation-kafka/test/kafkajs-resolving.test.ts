/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { eventually, type Tracing, traceText } from '@otel-messaging/test-utils';
import type { ConsumerRunConfig, EachBatchPayload, KafkaMessage } from 'kafkajs';
import { processMessage } from '../src';
import { forEachTest, PaymentFailed } from './kafka';

// Handlers of batches that do not walk the array as an array, and tell kafkajs how far they are.

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
async function run(handler: (payload: EachBatchPayload, entry: number) => unknown, count = 1, config = {}) {
  let entries = 0;
  const eachBatch: ConsumerRunConfig['eachBatch'] = (payload) => handler(payload, ++entries) as Promise<void>;
  await cluster.run([topic], { ...config, eachBatch }, () => entries >= count);
}

const walks: Record<string, (payload: EachBatchPayload) => Promise<void>> = {
  'by index': async ({ batch: { messages }, resolveOffset, heartbeat }) => {
    for (let i = 0; i < messages.length; i++) {
      await work();
      resolveOffset((messages[i] as KafkaMessage).offset);
      await heartbeat();
    }
  },
  'in a loop that empties the array': async ({ batch: { messages }, resolveOffset }) => {
    for (let message = messages.shift(); message !== undefined; message = messages.shift()) {
      await work();
      resolveOffset(message.offset);
    }
  },
  'over a copy': async ({ batch, resolveOffset }) => {
    const queue = [...batch.messages].reverse();
    for (let message = queue.pop(); message !== undefined; message = queue.pop()) {
      await work();
      resolveOffset(message.offset);
    }
  },
};

test.each(Object.entries(walks))(
  '%s: each message has its span in its own trace, work is below the batch',
  async (_, walk) => {
    await sendTwo();
    await run(walk);
    await eventually('all spans', () => tracing.openSpans === 0);
    expect(text(['kafka.offset', 'messaging.batch.message_count'])).toBe(
      [
        'create orders PRODUCER',
        '└─ process orders CONSUMER {kafka.offset=0}  → create orders, process orders',
        'create orders PRODUCER',
        '└─ process orders CONSUMER {kafka.offset=1}  → create orders, process orders',
        'send orders CLIENT {messaging.batch.message_count=2}  → create orders, create orders',
        'process orders CONSUMER {messaging.batch.message_count=2}  → create orders, create orders',
        '├─ work INTERNAL',
        '└─ work INTERNAL',
      ].join('\n'),
    );
  },
);

test('durations are those of the messages, each recorded once', async () => {
  await sendTwo();
  await run(async ({ batch: { messages }, resolveOffset }) => {
    for (let i = 0; i < messages.length; i++) {
      await new Promise((resolve) => setTimeout(resolve, 30));
      resolveOffset(messages[i]?.offset ?? '');
    }
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

test('only the last offset resolved: nobody knows which message took how long, and the batch has its span', async () => {
  await sendTwo();
  await run(async ({ batch, resolveOffset }) => {
    await work();
    resolveOffset(batch.lastOffset());
  });
  expect(text().split('\n').slice(-2)).toEqual([
    'process orders CONSUMER  → create orders, create orders',
    '└─ work INTERNAL',
  ]);
});

test('a walk that the array sees, too, has one span a message', async () => {
  await sendTwo();
  await run(({ batch, resolveOffset }) =>
    Promise.all(
      batch.messages.map(async ({ offset }) => {
        await work();
        resolveOffset(offset);
      }),
    ),
  );
  expect(
    text()
      .split('\n')
      .filter((line) => line.includes('process orders')),
  ).toHaveLength(3);
});

test('a handler that fails in the middle: what was resolved is done, the rest comes again', async () => {
  await sendTwo();
  const seen: string[] = [];
  await run(async ({ batch: { messages }, resolveOffset }, entry) => {
    for (let i = 0; i < messages.length; i++) {
      const { value, offset } = messages[i] as KafkaMessage;
      seen.push(String(value));
      await tick();
      if (entry === 1 && String(value) === '2') throw new PaymentFailed();
      resolveOffset(offset);
    }
  }, 2);
  expect(seen).toEqual(['1', '2', '2']);
  expect(text(['kafka.offset', 'messaging.batch.message_count'])).toBe(
    [
      'create orders PRODUCER',
      '└─ process orders CONSUMER {kafka.offset=0}  → create orders, process orders',
      'create orders PRODUCER',
      '└─ process orders CONSUMER {kafka.offset=1}  → create orders, process orders',
      'send orders CLIENT {messaging.batch.message_count=2}  → create orders, create orders',
      'process orders CONSUMER !PaymentFailed {messaging.batch.message_count=2}  → create orders, create orders',
      'process orders CONSUMER {messaging.batch.message_count=1}  → create orders',
    ].join('\n'),
  );
});

test("an offset that is none meets kafkajs's own error, one of no message is passed on", async () => {
  await sendTwo();
  let error: unknown;
  await run(async ({ batch, resolveOffset }) => {
    resolveOffset('17');
    resolveOffset(String(BigInt(batch.lastOffset()) + 1n));
    try {
      resolveOffset({} as never);
    } catch (thrown) {
      error = thrown;
    }
  });
  let own: unknown;
  instrumentation.disable();
  await run(async ({ resolveOffset }) => {
    try {
      resolveOffset({} as never);
    } catch (thrown) {
      own = thrown;
    }
  });
  instrumentation.enable();
  expect(String(error)).toBe(String(own));
  expect(
    text()
      .split('\n')
      .filter((line) => line.includes('process orders')),
  ).toHaveLength(1);
});

test('the handler gets the functions that kafkajs gives, under the same names', async () => {
  await sendTwo();
  let names: string[] = [];
  await run(async (payload) => {
    names = Object.keys(payload);
  });
  expect(names).toEqual([
    'batch',
    'resolveOffset',
    'heartbeat',
    'pause',
    'commitOffsetsIfNecessary',
    'uncommittedOffsets',
    'isRunning',
    'isStale',
  ]);
});

describe('processMessage', () => {
  const own = [
    'create orders PRODUCER',
    '└─ process orders CONSUMER  → create orders, process orders',
    '   └─ work INTERNAL',
    'create orders PRODUCER',
    '└─ process orders CONSUMER  → create orders, process orders',
    '   └─ work INTERNAL',
    'send orders CLIENT  → create orders, create orders',
    'process orders CONSUMER  → create orders, create orders',
  ].join('\n');

  test('gives what is done by index to its message, and resolving makes no second span', async () => {
    await sendTwo();
    await run(async ({ batch: { messages }, resolveOffset }) => {
      for (let i = 0; i < messages.length; i++) {
        const message = messages[i] as KafkaMessage;
        expect(await processMessage(message, async ({ value }) => work().then(() => String(value)))).toBe(`${i + 1}`);
        resolveOffset(message.offset);
      }
    });
    expect(text()).toBe(own);
  });

  test('in a walk it is part of that', async () => {
    await sendTwo();
    await run(async ({ batch }) => {
      for (const message of batch.messages) await processMessage(message, work);
    });
    expect(text()).toBe(own);
  });

  test('in a walk the message has a span also if its handler is synchronous', async () => {
    await sendTwo();
    await run(({ batch }) => {
      for (const message of batch.messages) processMessage(message, () => {});
    });
    expect(text()).toBe(own.replaceAll('\n   └─ work INTERNAL', ''));
  });

  test('marks the span of a message that fails, with the error of the handler', async () => {
    await sendTwo();
    const error = new PaymentFailed();
    await run(async ({ batch: { messages } }, entry) => {
      if (entry > 1) return;
      const failing = processMessage(messages[1] as KafkaMessage, async () => {
        throw error;
      });
      await expect(failing).rejects.toBe(error);
      expect(() =>
        processMessage(messages[0] as KafkaMessage, () => {
          throw error;
        }),
      ).toThrow(error);
    });
    expect(text().match(/process orders CONSUMER !PaymentFailed {2}→ create orders, process orders/g)).toHaveLength(2);
  });

  test('just calls the handler with messages that nobody delivered', () => {
    expect(processMessage({ value: 'a' }, ({ value }) => value)).toBe('a');
    expect(text()).toBe('');
  });
});
