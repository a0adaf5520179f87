/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type Message, SendMessageBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { applyInstrumentation, eventually, startTracing, type Tracing, unregister } from '@otel-messaging/test-utils';
import { Consumer, type ConsumerOptions } from 'sqs-consumer';
import { SqsInstrumentation } from '../src';
import { lines, newClient, newQueue, shownTraces } from './sqs';

const DOORS = [
  'handleSqsResponse',
  'processMessage',
  'executeHandler',
  'processMessageBatch',
  'executeBatchHandler',
] as const;
const prototype = Consumer.prototype as unknown as Record<string, unknown>;
const ORIGINALS = DOORS.map((name) => prototype[name]);

const instrumentation = new SqsInstrumentation();
applyInstrumentation(instrumentation, require);

const SETTLEMENT = 'messaging.message.settlement';
const HANDLED_AND_DELETED = lines(`
  send orders PRODUCER
  └─ process orders CONSUMER {messaging.message.settlement=delete}  → send orders, receive orders
     ├─ work INTERNAL
     └─ delete orders CLIENT  → send orders
  receive orders CLIENT  → send orders
`);

let tracing: Tracing;
let client: SQSClient;
let queueUrl: string;
/** Those that a failed test has left running keep jest from its end. */
const running = new Set<Consumer>();

beforeEach(async () => {
  tracing = startTracing([instrumentation]);
  client = newClient();
  queueUrl = await newQueue(client);
});

afterEach(async () => {
  for (const consumer of running) consumer.stop({ abort: true });
  running.clear();
  client.destroy();
  instrumentation.enable();
  instrumentation.setConfig({});
  await tracing.stop();
});

const tick = () => new Promise((resolve) => setImmediate(resolve));
const work = async () => {
  await tick();
  trace.getTracer('application').startSpan('work').end();
};

async function send(...bodies: string[]): Promise<void> {
  for (const MessageBody of bodies) await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody }));
}

async function sendBatch(...bodies: string[]): Promise<void> {
  const Entries = bodies.map((MessageBody, i) => ({ Id: `m${i}`, MessageBody }));
  await client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
}

type Options = Partial<ConsumerOptions>;

function newConsumer(options: Options): Consumer {
  const consumer = Consumer.create({ sqs: client, queueUrl, batchSize: 10, waitTimeSeconds: 5, ...options } as never);
  consumer.on('error', () => {}); // of the poll that is aborted at the end
  running.add(consumer);
  return consumer;
}

/** Runs a consumer until it is done with one answer of the queue. */
async function runOnce(consumer: Consumer): Promise<void> {
  const isDone = new Promise((resolve) => consumer.once('response_processed', () => resolve(undefined)));
  consumer.start();
  await isDone;
  consumer.stop({ abort: true });
}

/** Runs a consumer once; what it told its listeners. */
async function consume(options: Options): Promise<string[]> {
  const told: string[] = [];
  const consumer = newConsumer(options);
  const tell = (event: string) => (first: unknown) => {
    told.push(`${event} ${first instanceof Error ? first.message : (first as Message).Body}`);
  };
  for (const event of ['processing_error', 'timeout_error', 'error', 'message_processed'] as const) {
    consumer.on(event as 'error', tell(event));
  }
  await runOnce(consumer);
  return told;
}

/** Handlers that do something and give back what they got. */
const giveBack = async <T>(received: T): Promise<T> => {
  await tick();
  return received;
};
const workOn = async <T>(received: T): Promise<T> => {
  await work();
  return received;
};

const shown = (...attributes: string[]) => shownTraces(tracing, ...attributes);
const named = (name: string) => tracing.spans().filter((span) => span.name.startsWith(`${name} `));

describe('handleMessage', () => {
  test('handles a message in the trace of its producer, and deletes it there', async () => {
    await send('one');
    const told = await consume({ handleMessage: workOn });
    expect(told).toEqual(['message_processed one']);
    expect(shown(SETTLEMENT)).toBe(HANDLED_AND_DELETED);
    expect(tracing.openSpans).toBe(0);
  });

  test('the span ends with the handler, not with the deletion', async () => {
    await send('one');
    await consume({ handleMessage: giveBack });
    const [processed] = named('process');
    const [deleted] = named('delete');
    expect(processed!.endTime[0] * 1e9 + processed!.endTime[1]).toBeLessThanOrEqual(
      deleted!.startTime[0] * 1e9 + deleted!.startTime[1] + 2e6, // the SDK's clock of a span has milliseconds, of each span another one
    );
    const durations = (await tracing.metrics()).find(
      ({ descriptor }) => descriptor.name === 'messaging.process.duration',
    );
    expect(durations?.dataPoints).toMatchObject([{ value: { count: 1 } }]);
  });

  test('a listener that throws before the handler leaves no span open', async () => {
    await send('one');
    const consumer = newConsumer({ handleMessage: workOn });
    consumer.on('message_received', () => {
      throw new Error('listener');
    });
    await runOnce(consumer);
    expect(named('process')).toHaveLength(1);
    expect(tracing.openSpans).toBe(0);
  });

  test('messages of one poll are handled at the same time, each in its own trace', async () => {
    await sendBatch('one', 'two', 'three');
    const traces = new Set<string | undefined>();
    const handled: string[] = [];
    await consume({
      handleMessage: async (message) => {
        await tick();
        traces.add(trace.getActiveSpan()?.spanContext().traceId);
        handled.push(message.Body ?? '');
        return message;
      },
    });
    expect(traces.size).toBe(handled.length);
    expect(named('process')).toHaveLength(handled.length);
    expect(named('receive')).toHaveLength(1);
  });

  test('its baggage arrives', async () => {
    const baggage = propagation.createBaggage({ tenant: { value: 'a' } });
    await context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), () => send('one'));
    let seen: string | undefined;
    await consume({
      handleMessage: async (message) => {
        seen = propagation.getActiveBaggage()?.getEntry('tenant')?.value;
        return message;
      },
    });
    expect(seen).toBe('a');
  });

  test.each<[string, Options, string[], string]>([
    [
      'rejects',
      {
        handleMessage: async () => {
          await tick();
          throw new RangeError('no stock');
        },
      },
      ['processing_error Unexpected message handler failure: no stock'],
      'RangeError',
    ],
    [
      'throws',
      {
        handleMessage: () => {
          throw new RangeError('no stock');
        },
      },
      ['processing_error Unexpected message handler failure: no stock'],
      'RangeError',
    ],
    [
      'takes longer than its timeout',
      { handleMessage: () => new Promise(() => {}), handleMessageTimeout: 10 },
      ['timeout_error Message handler timed out after 10ms: Operation timed out.'],
      'TimeoutError',
    ],
  ])('a handler that %s marks its span, and nothing is deleted', async (_, options, told, error) => {
    await send('one');
    expect(await consume(options)).toEqual(told);
    expect(shown(SETTLEMENT)).toBe(
      lines(`
        send orders PRODUCER
        └─ process orders CONSUMER !${error}  → send orders, receive orders
        receive orders CLIENT  → send orders
      `),
    );
    expect(tracing.openSpans).toBe(0);
  });

  test('a message that is to come again at once says so', async () => {
    await send('one');
    const handleMessage = async () => {
      throw new RangeError('no stock');
    };
    await consume({ handleMessage, terminateVisibilityTimeout: true });
    expect(shown(SETTLEMENT)).toContain('process orders CONSUMER !RangeError {messaging.message.settlement=retry}');
  });

  test('a message that its handler does not give back is not deleted, and its span does not say so', async () => {
    await send('one');
    expect(await consume({ handleMessage: async () => undefined })).toEqual([]);
    expect(shown(SETTLEMENT)).toContain('└─ process orders CONSUMER  → send orders, receive orders\nreceive');
  });

  test('with deletions of its own, or with none, the span ends as well', async () => {
    await send('one');
    await consume({ handleMessage: giveBack, shouldDeleteMessages: false });
    expect(named('process')).toHaveLength(1);
    expect(named('delete')).toEqual([]);
    expect(tracing.openSpans).toBe(0);
  });

  test('a deletion that fails is told to the listeners, and is no failure of the handler', async () => {
    await send('one');
    const stack = client.middlewareStack.clone();
    client.middlewareStack.add(
      (next, { commandName }) => {
        if (commandName === 'DeleteMessageCommand') throw new Error('no connection');
        return next;
      },
      { step: 'initialize' },
    );
    expect(await consume({ handleMessage: giveBack })).toEqual(['error SQS delete message failed: no connection']);
    client.middlewareStack = stack;
    expect(shown(SETTLEMENT)).toContain('process orders CONSUMER  →');
    expect(shown()).toContain('delete orders CLIENT !Error');
    expect(tracing.openSpans).toBe(0);
  });

  test('a handler without a promise has a span as well', async () => {
    await send('one');
    await consume({ handleMessage: ((message: Message) => message) as never });
    expect(shown(SETTLEMENT)).toContain('process orders CONSUMER {messaging.message.settlement=delete}');
  });

  test('with perMessageSpans off, which is about loops, a handler still has its span', async () => {
    instrumentation.setConfig({ perMessageSpans: false });
    await send('one');
    await consume({ handleMessage: workOn });
    expect(shown(SETTLEMENT)).toBe(HANDLED_AND_DELETED);
  });

  test('with followIndex on, which is about arrays, the trace is the same', async () => {
    instrumentation.setConfig({ followIndex: true });
    await send('one');
    await consume({ batchSize: 1, handleMessage: workOn });
    expect(shown(SETTLEMENT)).toBe(HANDLED_AND_DELETED);
    expect(tracing.openSpans).toBe(0);
  });

  test('messages of a client that is not instrumented have spans, by the URL of the queue', async () => {
    await send('one');
    const plain = { send: (command: never) => bare(client, command) };
    await consume({ sqs: plain as never, messageAttributeNames: ['All'], handleMessage: giveBack });
    expect(shown('messaging.destination.name')).toBe(
      lines(`
        send orders PRODUCER {messaging.destination.name=orders}
        └─ process orders CONSUMER {messaging.destination.name=orders}  → send orders
      `),
    );
    expect(tracing.openSpans).toBe(0);
  });
});

describe('handleMessageBatch', () => {
  test('has one span with links to all producers, and one for each message that is walked', async () => {
    await send('one', 'two');
    await consume({
      handleMessageBatch: async (messages) => {
        for (const _ of messages) await work();
        return messages;
      },
    });
    expect(shown(SETTLEMENT, 'messaging.batch.message_count')).toBe(
      lines(`
        send orders PRODUCER
        └─ process orders CONSUMER {messaging.message.settlement=delete}  → send orders, receive orders, process orders
           └─ work INTERNAL
        send orders PRODUCER
        └─ process orders CONSUMER {messaging.message.settlement=delete}  → send orders, receive orders, process orders
           └─ work INTERNAL
        receive orders CLIENT {messaging.batch.message_count=2}  → send orders, send orders
        process orders CONSUMER {messaging.batch.message_count=2}  → send orders, send orders
        └─ delete orders CLIENT {messaging.batch.message_count=2}  → send orders, send orders
      `),
    );
    expect(tracing.openSpans).toBe(0);
  });

  test('counts each message once, with the poll', async () => {
    await send('one', 'two');
    await consume({ handleMessageBatch: giveBack });
    const consumed = (await tracing.metrics()).find(({ descriptor }) =>
      descriptor.name.endsWith('client.consumed.messages'),
    );
    expect(consumed?.dataPoints).toMatchObject([{ value: 2 }]);
    const inQueue = (await tracing.metrics()).find(({ descriptor }) => descriptor.name.endsWith('queue.duration'));
    expect(inQueue?.dataPoints).toMatchObject([{ value: { count: 2 } }]);
  });

  test('only what it gives back is deleted, and marked as such', async () => {
    await send('one', 'two');
    const told = await consume({
      handleMessageBatch: async (messages) => {
        await Promise.all(messages.map(work));
        return messages.filter(({ Body }) => Body === 'two');
      },
    });
    expect(told).toEqual(['message_processed two']);
    expect(named('process').map(({ attributes }) => attributes[SETTLEMENT])).toEqual(
      expect.arrayContaining(['delete', undefined, undefined]), // two, one, and the batch
    );
    expect(shown('messaging.batch.message_count')).toContain('delete orders CLIENT {messaging.batch.message_count=1}');
  });

  test('a handler that walks nothing has the one span', async () => {
    await send('one', 'two');
    await consume({ handleMessageBatch: workOn });
    expect(named('process')).toHaveLength(1);
    expect(shown()).toContain('├─ work INTERNAL\n└─ delete orders CLIENT  → send orders, send orders');
  });

  test('a handler that rejects marks the batch; messages that it had handled keep their spans', async () => {
    await send('one', 'two');
    const told = await consume({
      handleMessageBatch: async (messages) => {
        for (const _ of messages) await work();
        throw new RangeError('no stock');
      },
    });
    expect(told).toEqual(['error Unexpected message batch handler failure: no stock']);
    expect(named('process')).toHaveLength(3);
    expect(shown().match(/process orders CONSUMER !RangeError/g)).toHaveLength(1);
    expect(named('delete')).toEqual([]);
    expect(tracing.openSpans).toBe(0);
  });

  test.each(['with', 'without'])(
    '%s us, what a handler takes out of its array before it fails is out of it',
    async (us) => {
      if (us === 'without') instrumentation.disable();
      await sendBatch('one', 'two', 'three');
      const changed: unknown[] = [];
      client.middlewareStack.add(
        (next) => (args) => {
          const { Entries } = args.input as { readonly Entries?: readonly { readonly VisibilityTimeout?: number }[] };
          if (Entries?.[0]?.VisibilityTimeout !== undefined) changed.push(...Entries);
          return next(args);
        },
        { step: 'initialize', name: 'watch' },
      );
      const consumer = newConsumer({
        terminateVisibilityTimeout: true,
        handleMessageBatch: async (messages) => {
          messages.shift();
          messages.shift();
          throw new Error('no stock');
        },
      });
      const left: unknown[] = [];
      consumer.on('error', (_, messages) => Array.isArray(messages) && left.push(...messages));
      await runOnce(consumer);
      expect(left).toHaveLength(1);
      expect(changed).toHaveLength(1);
    },
  );

  test('what a handler takes out of its array stays out of it also where it does not fail', async () => {
    await sendBatch('one', 'two', 'three');
    const told = await consume({
      alwaysAcknowledge: true,
      handleMessageBatch: async (messages) => {
        messages.length = 1;
        return [];
      },
    });
    expect(told).toHaveLength(1);
    expect(named('delete')[0]?.attributes['messaging.batch.message_count']).toBe(1);
  });

  test('listeners that are told of each message handle none', async () => {
    await send('one');
    const consumer = newConsumer({ handleMessageBatch: giveBack });
    for (const event of ['message_received', 'message_processed'] as const) {
      consumer.on(event, () => trace.getTracer('application').startSpan(event).end());
    }
    await runOnce(consumer);
    expect(shown()).toBe(
      lines(`
        send orders PRODUCER
        receive orders CLIENT  → send orders
        process orders CONSUMER  → send orders
        ├─ message_received INTERNAL
        ├─ delete orders CLIENT  → send orders
        └─ message_processed INTERNAL
      `),
    );
  });

  test('with followIndex on, a handler that takes its message by index has it in the batch', async () => {
    instrumentation.setConfig({ followIndex: true });
    await send('one');
    await consume({
      batchSize: 1,
      handleMessageBatch: async (messages) => {
        if (messages[0]?.Body === 'one') await work();
        return messages;
      },
    });
    expect(shown()).toBe(
      lines(`
        send orders PRODUCER
        receive orders CLIENT  → send orders
        process orders CONSUMER  → send orders
        ├─ work INTERNAL
        └─ delete orders CLIENT  → send orders
      `),
    );
    expect(tracing.openSpans).toBe(0);
  });

  test('without perMessageSpans it has its one span', async () => {
    instrumentation.setConfig({ perMessageSpans: false });
    await send('one', 'two');
    await consume({
      handleMessageBatch: async (messages) => {
        for (const _ of messages) await work();
        return messages;
      },
    });
    expect(named('process')).toHaveLength(1);
  });
});

describe('the consumer', () => {
  test('goes on as before when the instrumentation is disabled, and has its own methods back', async () => {
    const patched = DOORS.map((name) => prototype[name]);
    instrumentation.disable();
    expect(DOORS.map((name) => prototype[name])).toEqual(ORIGINALS);
    await send('one', 'two');
    await consume({ handleMessageBatch: giveBack });
    expect(tracing.spans()).toEqual([]);
    instrumentation.enable();
    expect(DOORS.map((name) => prototype[name])).not.toEqual(ORIGINALS);
    expect(patched).not.toEqual(ORIGINALS);
  });

  test('works without an SDK', async () => {
    await send('one');
    unregister();
    const told = await consume({ handleMessage: giveBack });
    expect(told).toEqual(['message_processed one']);
  });

  test('one poll has one receive span, and an empty poll none', async () => {
    await send('one');
    const consumer = newConsumer({ waitTimeSeconds: 0, pollingWaitTimeMs: 1, handleMessage: giveBack });
    let polls = 0;
    consumer.on('empty', () => polls++);
    consumer.start();
    await eventually('the message and two empty polls', () => polls > 1 && named('delete').length === 1);
    consumer.stop({ abort: true });
    expect(named('receive')).toHaveLength(1);
    expect(named('process')).toHaveLength(1);
  });
});

/** The client's answer, without its instrumentation. */
async function bare(real: SQSClient, command: never): Promise<unknown> {
  instrumentation.disable();
  try {
    return await real.send(command);
  } finally {
    instrumentation.enable();
  }
}
