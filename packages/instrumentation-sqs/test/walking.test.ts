/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { ChangeMessageVisibilityCommand, type Message, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { context, SpanKind, trace } from '@opentelemetry/api';
import { applyInstrumentation, startTracing, type Tracing } from '@otel-messaging/test-utils';
import pLimit from 'p-limit';
import { messageContext, processMessage, SqsInstrumentation } from '../src';
import { newClient, newQueue, receive, remove } from './sqs';

const instrumentation = new SqsInstrumentation();
applyInstrumentation(instrumentation, require);

let tracing: Tracing;
let client: SQSClient;
let QueueUrl: string;

beforeEach(async () => {
  tracing = startTracing([instrumentation]);
  client = newClient();
  QueueUrl = await newQueue(client);
});

afterEach(async () => {
  client.destroy();
  await tracing.stop();
});

const tick = () => new Promise((resolve) => setImmediate(resolve));
const activeTrace = () => trace.getActiveSpan()?.spanContext().traceId;

/** Sends messages, each in a trace of its own, and receives all of them; the traces by their bodies. */
async function sendAndReceive(count: number, from = 0) {
  const traces = new Map<string, string>();
  for (let i = from; i < from + count; i++) {
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: `m${i}` }));
    traces.set(`m${i}`, tracing.spans().at(-1)!.spanContext().traceId);
  }
  let messages = await receive(client, QueueUrl);
  while (messages.length < count) {
    // One array, of one poll, is what is walked; until there is one, the messages go back.
    for (let i = 0; i < messages.length; i++) {
      const { ReceiptHandle } = messages[i]!;
      await client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
    }
    messages = await receive(client, QueueUrl);
  }
  return { messages, traces };
}

/** What a handler sees: its own trace, before, between and after what it waits for, and in what it calls. */
async function handle({ Body }: Message, seen: [string | undefined, string | undefined][]): Promise<void> {
  for (let i = 0; i < 3; i++) {
    seen.push([Body, activeTrace()]);
    await (i === 1 ? new Promise((resolve) => setTimeout(resolve, 1)) : tick());
  }
  await (async () => {
    await null;
    seen.push([Body, activeTrace()]);
  })();
}

function expectOwn(seen: [string | undefined, string | undefined][], traces: Map<string, string>, count: number): void {
  expect(seen).toHaveLength(count * 4);
  for (const [body, own] of seen) expect([body, own]).toEqual([body, traces.get(body ?? '')]);
}

const processed = () => tracing.spans().filter(({ kind }) => kind === SpanKind.CONSUMER);

async function* oneByOne(messages: readonly Message[]): AsyncGenerator<Message> {
  for (const message of messages) {
    await tick();
    yield message;
  }
}

type Walk = (messages: Message[], work: (message: Message) => Promise<void>) => Promise<unknown>;

const walks: Record<string, Walk> = {
  'a loop': async (messages, work) => {
    for (const message of messages) await work(message);
  },
  'Promise.all over map': (messages, work) => Promise.all(messages.map(work)),
  'Promise.allSettled over map': (messages, work) => Promise.allSettled(messages.map(async (m) => work(m))),
  'forEach whose promises are collected': (messages, work) => {
    const promises: Promise<void>[] = [];
    // biome-ignore lint/suspicious/useIterableCallbackReturn: how some write it
    messages.forEach((message) => promises.push(work(message)));
    return Promise.all(promises);
  },
  'a pool of two, which starts the next message from the end of the last': async (messages, work) => {
    const limit = pool(2);
    await Promise.all(messages.map((message) => limit(() => work(message))));
  },
  'p-limit 3, which calls a function where another one has ended, given bound functions': async (messages, work) => {
    const limit = pLimit(2);
    const bound = (message: Message) => context.bind(context.active(), () => work(message));
    await Promise.all(messages.map((message) => limit(bound(message))));
  },
  'p-limit 3, with processMessage': async (messages, work) => {
    const limit = pLimit(2);
    await Promise.all(messages.map((message) => limit(() => processMessage(message, work))));
  },
  'an asynchronous generator': async (messages, work) => {
    for await (const message of oneByOne(messages)) await work(message);
  },
  'for await over the array': async (messages, work) => {
    for await (const message of messages) await work(message);
  },
  'a loop over entries': async (messages, work) => {
    for (const [, message] of messages.entries()) await work(message);
  },
  'a chain of promises by reduce': (messages, work) =>
    messages.reduce((before, message) => before.then(() => work(message)), Promise.resolve()),
  'a filtered part': async (messages, work) => {
    for (const message of messages.filter(() => true)) await work(message);
  },
};

/** As libraries that limit concurrency do it: a queue of functions, bound to the context they were given in. */
function pool(concurrency: number) {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async <T>(code: () => Promise<T>): Promise<T> => {
    if (running >= concurrency) await new Promise<void>((resolve) => waiting.push(resolve));
    running++;
    try {
      return await code();
    } finally {
      running--;
      waiting.shift()?.();
    }
  };
}

describe('each message is handled in its own trace, and once, by', () => {
  test.each(Object.keys(walks))('%s', async (name) => {
    const { messages, traces } = await sendAndReceive(5);
    const seen: [string | undefined, string | undefined][] = [];
    const before = context.active();
    await walks[name]!(messages, (message) => handle(message, seen));
    expectOwn(seen, traces, 5);
    expect(processed()).toHaveLength(5);
    expect(tracing.openSpans).toBe(0);
    expect(trace.getSpan(context.active())).toBe(trace.getSpan(before));
  });
});

test('a generator that polls gives each message to a handler in its own trace', async () => {
  const traces = new Map<string, string>();
  for (let i = 0; i < 6; i++) {
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: `m${i}` }));
    traces.set(`m${i}`, tracing.spans().at(-1)!.spanContext().traceId);
  }
  async function* poll() {
    for (let left = 6; left > 0; ) {
      const messages = await receive(client, QueueUrl, { MaxNumberOfMessages: 2 });
      left -= messages.length;
      for (const message of messages) yield message;
    }
  }
  const seen: [string | undefined, string | undefined][] = [];
  for await (const message of poll()) await handle(message, seen);
  expectOwn(seen, traces, 6);
  expect(processed()).toHaveLength(6);
  expect(trace.getActiveSpan()).toBeUndefined();
});

test('a loop within a loop handles each message in its own trace, and goes back to the outer one', async () => {
  const outer = await sendAndReceive(2);
  const inner = await sendAndReceive(2, 2);
  const seen: [string | undefined, string | undefined][] = [];
  const back: [string | undefined, string | undefined][] = [];
  let isFirst = true;
  for (const message of outer.messages) {
    await tick();
    if (isFirst) for (const nested of inner.messages) await handle(nested, seen);
    isFirst = false;
    back.push([message.Body, activeTrace()]);
    await tick();
    back.push([message.Body, activeTrace()]);
  }
  expectOwn(seen, inner.traces, 2);
  for (const [body, own] of back) expect(own).toBe(outer.traces.get(body ?? ''));
  expect(trace.getActiveSpan()).toBeUndefined();
});

test('two loops at once do not see each other', async () => {
  const first = await sendAndReceive(3);
  const second = await sendAndReceive(3, 3);
  const seen: [string | undefined, string | undefined][] = [];
  const loop = async (messages: Message[]) => {
    for (const message of messages) await handle(message, seen);
  };
  await Promise.all([loop(first.messages), loop(second.messages)]);
  expectOwn(seen, new Map([...first.traces, ...second.traces]), 6);
  expect(processed()).toHaveLength(6);
  expect(trace.getActiveSpan()).toBeUndefined();
});

test('a loop that is left early leaves no context behind, and no span to what it did not reach', async () => {
  const { messages } = await sendAndReceive(3);
  for (const message of messages) {
    await tick();
    expect(activeTrace()).toBeDefined();
    if (message.Body !== undefined) break;
  }
  expect(trace.getActiveSpan()).toBeUndefined();
  await tick();
  expect(trace.getActiveSpan()).toBeUndefined();
  expect(processed()).toHaveLength(1);
});

test('a message that is kept for later is handled in its trace by its context', async () => {
  const { messages, traces } = await sendAndReceive(2);
  const kept: Message[] = [];
  for (const message of messages) kept.push(message);
  await receive(client, QueueUrl, { WaitTimeSeconds: 0 });
  const seen: [string | undefined, string | undefined][] = [];
  for (let i = 0; i < kept.length; i++) {
    await context.with(messageContext(kept[i]!), async () => {
      await handle(kept[i]!, seen);
      await remove(client, QueueUrl, kept[i]!);
    });
  }
  expectOwn(seen, traces, 2);
});
