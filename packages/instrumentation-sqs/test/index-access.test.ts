/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { type Message, SendMessageBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { context, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { applyInstrumentation, startTracing, type Tracing } from '@otel-messaging/test-utils';
import { processMessage, SqsInstrumentation } from '../src';
import { lines, newClient, newQueue, receive, remove, shownTraces } from './sqs';

const instrumentation = new SqsInstrumentation({ followIndex: true });
applyInstrumentation(instrumentation, require);

let tracing: Tracing;
let client: SQSClient;
let QueueUrl: string;

beforeEach(async () => {
  instrumentation.setConfig({ followIndex: true });
  tracing = startTracing([instrumentation]);
  client = newClient();
  QueueUrl = await newQueue(client);
});

afterEach(async () => {
  client.destroy();
  await tracing.stop();
});

const tick = () => new Promise((resolve) => setImmediate(resolve));
const work = async () => {
  await tick();
  trace.getTracer('application').startSpan('work').end();
};
const send = (MessageBody = 'one') => client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
const receiveOne = () => receive(client, QueueUrl, { MaxNumberOfMessages: 1 });

const HANDLED = lines(`
  send orders PRODUCER
  └─ process orders CONSUMER {messaging.message.settlement=delete}  → send orders, receive orders
     ├─ work INTERNAL
     └─ delete orders CLIENT  → send orders
  receive orders CLIENT  → send orders
`);

const ways: Record<
  string,
  (messages: Awaited<ReturnType<typeof receiveOne>>) => (typeof messages)[number] | undefined
> = {
  'its index': (messages) => messages[0],
  destructuring: ([message]) => message,
  at: (messages) => messages.at(0),
  shift: (messages) => messages.shift(),
  pop: (messages) => messages.pop(),
  find: (messages) => messages.find(() => true),
};

test.each(Object.keys(ways))(
  'a message taken by %s is handled and deleted in the trace of its producer',
  async (way) => {
    await send();
    const messages = await receiveOne();
    const message = ways[way]!(messages);
    await work();
    await remove(client, QueueUrl, message!);
    expect(shownTraces(tracing, 'messaging.message.settlement')).toBe(HANDLED);
    expect(tracing.openSpans).toBe(0);
  },
);

test('after its deletion what was active before is active again, for new spans as for baggage', async () => {
  const baggage = propagation.createBaggage({ tenant: { value: 'a' } });
  await context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), () => send());
  await tracing.inSpan('app', async () => {
    const messages = await receiveOne();
    const message = messages[0]!;
    await tick();
    expect(propagation.getActiveBaggage()?.getEntry('tenant')?.value).toBe('a');
    await remove(client, QueueUrl, message);
    expect(propagation.getActiveBaggage()).toBeUndefined();
    await work();
  });
  const around = tracing.spans().find(({ name }) => name === 'app');
  const worked = tracing.spans().find(({ name }) => name === 'work');
  expect(worked?.parentSpanContext?.spanId).toBe(around?.spanContext().spanId);
  expect(trace.getActiveSpan()).toBeUndefined();
});

test('one that was not deleted is let go of by the next poll, and does not become its parent', async () => {
  await send('one');
  const first = (await receiveOne())[0];
  await work();
  expect(first?.Body).toBe('one');
  await receive(client, QueueUrl, { WaitTimeSeconds: 0 });
  expect(tracing.openSpans).toBe(0);
  await work();
  expect(shownTraces(tracing)).toBe(
    lines(`
      send orders PRODUCER
      └─ process orders CONSUMER  → send orders, receive orders
         └─ work INTERNAL
      receive orders CLIENT  → send orders
      work INTERNAL
    `),
  );
});

test('polls of a loop each have their message, and keep nothing of the last', async () => {
  for (const body of ['one', 'two', 'three']) await send(body);
  const traces = new Set<string | undefined>();
  for (let i = 0; i < 3; i++) {
    const messages = await receiveOne();
    const message = messages[0]!;
    await tick();
    traces.add(trace.getActiveSpan()?.spanContext().traceId);
    if (i !== 1) await remove(client, QueueUrl, message);
  }
  await receive(client, QueueUrl, { WaitTimeSeconds: 0 });
  expect(traces.size).toBe(3);
  expect(tracing.openSpans).toBe(0);
  const polls = tracing.spans().filter(({ name }) => name.startsWith('receive'));
  expect(polls.map(({ parentSpanContext }) => parentSpanContext)).toEqual([undefined, undefined, undefined]);
});

test('two executions that poll at the same time do not see each other', async () => {
  for (const body of ['one', 'two']) await send(body);
  const seen = await Promise.all(
    [1, 2].map(async () => {
      const [message] = await receiveOne();
      await tick();
      const before = trace.getActiveSpan()?.spanContext().traceId;
      await remove(client, QueueUrl, message!);
      return before;
    }),
  );
  expect(new Set(seen).size).toBe(2);
  expect(seen).not.toContain(undefined);
  expect(trace.getActiveSpan()).toBeUndefined();
});

test('a loop over the array handles the message as without the option', async () => {
  await send();
  await tracing.inSpan('app', async () => {
    const before = context.active();
    for (const message of await receiveOne()) {
      await work();
      await remove(client, QueueUrl, message);
    }
    expect(context.active()).toBe(before);
  });
  expect(tracing.spans().filter(({ kind }) => kind === SpanKind.CONSUMER)).toHaveLength(1);
});

test.each(['map', 'processMessage'])('handed on to %s, the message has its one span there', async (way) => {
  await send();
  await tracing.inSpan('app', async () => {
    const messages = await receiveOne();
    if (way === 'map') await Promise.all(messages.map(work));
    else await processMessage(messages[0]!, work);
    await work();
  });
  expect(shownTraces(tracing)).toBe(
    lines(`
      send orders PRODUCER
      └─ process orders CONSUMER  → send orders, receive orders, app
         └─ work INTERNAL
      app INTERNAL
      ├─ receive orders CLIENT  → send orders
      └─ work INTERNAL
    `),
  );
});

test('an array that was not read yet looks and behaves like any other', async () => {
  await send();
  const messages = await receiveOne();
  const before = context.active();
  expect(Object.keys(messages)).toEqual(['0']);
  expect(messages).toHaveLength(1);
  expect(inspect({ messages })).toMatch(/^\{\n {2}messages: \[\n {4}\{\n {6}MessageId: '/);
  expect(context.active()).toBe(before); // a look of that kind takes nothing
  expect(Array.isArray(messages)).toBe(true);
  const text = JSON.parse(JSON.stringify(messages));
  expect(context.active()).not.toBe(before);
  expect(text[0].Body).toBe('one');
  expect(structuredClone(messages)).toEqual(text);
  expect(inspect(messages)).toContain("Body: 'one'");
  expect(Object.getOwnPropertyDescriptor(messages, 0)).toMatchObject({ writable: true, enumerable: true });
  messages[0] = { Body: 'other' };
  expect(messages.map(({ Body }) => Body)).toEqual(['other']);
  await receive(client, QueueUrl, { WaitTimeSeconds: 0 });
  expect(tracing.spans().filter(({ kind }) => kind === SpanKind.CONSUMER)).toEqual([]); // nothing asked for a span
});

test('an array that is frozen, or written to, before it is read does not mind', async () => {
  for (const body of ['one', 'two', 'three']) await send(body);
  const frozen = Object.freeze(await receiveOne());
  const write = () => {
    (frozen as unknown[])[0] = 'mine';
  };
  expect(write).toThrow(TypeError);
  expect([frozen[0]?.Body, frozen[0]?.Body]).toEqual([expect.any(String), expect.any(String)]);
  expect(write).toThrow(TypeError);
  const sealed = Object.seal(await receiveOne());
  sealed[0] = { Body: 'mine' };
  expect([sealed[0], sealed.length]).toEqual([{ Body: 'mine' }, 1]);
  const written = await receiveOne();
  written[0] = { Body: 'mine' };
  expect(written).toEqual([{ Body: 'mine' }]);
});

test('an array that is emptied, and filled again, holds what the application put there', async () => {
  await send();
  await send();
  const emptied = await receiveOne();
  emptied.length = 0;
  expect([...emptied.values()]).toEqual([]);
  expect(emptied.map(({ Body }) => Body)).toEqual([]);
  const filled = await receiveOne();
  filled.length = 0;
  filled.push({ Body: 'mine' });
  expect(inspect(filled)).toBe("[ { Body: 'mine' } ]");
  expect([filled[0]?.Body, filled.map(({ Body }) => Body), filled.length]).toEqual(['mine', ['mine'], 1]);
});

test('a copy of its properties has nothing but the message', async () => {
  await send();
  expect(Reflect.ownKeys({ ...(await receiveOne()) })).toEqual(['0']);
});

test.each<[string, (messages: Message[]) => Message[]]>([
  ['a proxy', (messages) => new Proxy(messages, {})],
  [
    'a copy of all its properties',
    (messages) => Object.defineProperties([], Object.getOwnPropertyDescriptors<object>(messages)),
  ],
])('through %s of the array, the message is there and is taken', async (_, seen) => {
  await send();
  const messages = seen(await receiveOne());
  const before = context.active();
  expect(messages[0]?.Body).toBe('one');
  expect(context.active()).not.toBe(before);
  expect([messages[0]?.Body, messages.length]).toEqual(['one', 1]);
});

test('a poll that asked for more than one message is not followed by index', async () => {
  await client.send(new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: 'a', MessageBody: 'one' }] }));
  const messages = await receive(client, QueueUrl);
  expect(Object.getOwnPropertyDescriptor(messages, 0)).toHaveProperty('value');
});

test('switched off while a message is in hand, its span ends, and nothing stays active', async () => {
  await send();
  const message = (await receiveOne())[0];
  await work();
  expect(message).toBeDefined();
  instrumentation.disable();
  expect(tracing.openSpans).toBe(0);
  expect(trace.getActiveSpan()).toBeUndefined();
  instrumentation.enable();
});

test('messages that nobody deletes are not waited for without end', async () => {
  let count = 0;
  const MD5OfBody = createHash('md5').update('x').digest('hex');
  client.middlewareStack.add(
    () => async () => {
      const id = String(count++);
      return {
        response: {},
        output: { Messages: [{ MessageId: id, ReceiptHandle: id, Body: 'x', MD5OfBody }] } as never,
      };
    },
    { step: 'initialize', name: 'stub', priority: 'low' },
  );
  // Each in an execution of its own, which takes a message and ends.
  const taken = Array.from({ length: 1200 }, async () => {
    const message = (await receiveOne())[0];
    await work();
    return message;
  });
  expect(new Set(await Promise.all(taken)).size).toBe(1200);
  expect(tracing.openSpans).toBe(1000);
  instrumentation.disable();
  expect(tracing.openSpans).toBe(0);
  instrumentation.enable();
});
