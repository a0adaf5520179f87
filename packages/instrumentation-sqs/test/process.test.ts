/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { SendMessageBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { applyInstrumentation, startTracing, type Tracing, unregister } from '@otel-messaging/test-utils';
import { messageContext, processBatch, processMessage, SqsInstrumentation } from '../src';
import { lines, newClient, newQueue, receive, remove, shownTraces } from './sqs';

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
  instrumentation.enable();
  await tracing.stop();
});

const tick = () => new Promise((resolve) => setImmediate(resolve));
const activeTrace = () => trace.getActiveSpan()?.spanContext().traceId;

async function sendAndReceive(...bodies: string[]) {
  const Entries = bodies.map((MessageBody, i) => ({ Id: `m${i}`, MessageBody }));
  await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  return receive(client, QueueUrl);
}

describe('processMessage', () => {
  test('runs an asynchronous handler in its process span and gives its result', async () => {
    const [message] = await sendAndReceive('one');
    const result = await processMessage(message!, async ({ Body }) => {
      await tick();
      await remove(client, QueueUrl, message!);
      return Body?.length;
    });
    expect(result).toBe(3);
    expect(shownTraces(tracing, 'messaging.message.settlement')).toBe(
      lines(`
        send orders PRODUCER
        └─ process orders CONSUMER {messaging.message.settlement=delete}  → send orders, receive orders
           └─ delete orders CLIENT  → send orders
        receive orders CLIENT  → send orders
      `),
    );
  });

  test('gives a synchronous handler a span as well, and its result as it is', async () => {
    const [message] = await sendAndReceive('one');
    expect(processMessage(message!, ({ Body }) => Body)).toBe('one');
    expect(shownTraces(tracing)).toContain('└─ process orders CONSUMER');
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('no stock');
      },
    ],
    [
      'rejects',
      async () => {
        await tick();
        throw new Error('no stock');
      },
    ],
  ])('passes on the error of a handler that %s', async (_, handler: () => unknown) => {
    const [message] = await sendAndReceive('one');
    await expect((async () => processMessage(message!, handler))()).rejects.toThrow('no stock');
    expect(shownTraces(tracing)).toContain('process orders CONSUMER !Error');
  });

  test('knows a copy of the message by its receipt, down to what was hidden', async () => {
    const [message] = await sendAndReceive('one');
    const copy = JSON.parse(JSON.stringify(message));
    await processMessage(copy, tick);
    await processMessage(message!, tick); // it has had its one span
    const spans = tracing.spans().filter(({ name }) => name.startsWith('process'));
    expect(spans).toHaveLength(1);
    expect(spans[0]?.parentSpanContext).toBeDefined();
    expect(spans[0]?.attributes).toHaveProperty(['messaging.message.receive.latency']);
  });

  test('reads the context of a message that was received without us', async () => {
    tracing = await withoutContract(tracing);
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
    instrumentation.disable();
    const [message] = await receive(client, QueueUrl, { MessageAttributeNames: ['All'] });
    instrumentation.enable();
    await processMessage(message!, tick);
    expect(shownTraces(tracing)).toBe('send orders PRODUCER\n└─ process CONSUMER  → send orders');
  });

  test('just runs the handler without an SDK, and when switched off', async () => {
    const [message] = await sendAndReceive('one');
    instrumentation.disable();
    expect(processMessage(message!, () => 1)).toBe(1);
    instrumentation.enable();
    unregister();
    expect(processMessage({ Body: 'two' }, ({ Body }) => Body)).toBe('two');
  });
});

describe('processBatch', () => {
  test('handles all messages, each in its own trace, and tells which failed', async () => {
    const messages = await sendAndReceive('one', 'two', 'three');
    const traces = new Set<string | undefined>();
    const { succeeded, failed } = await processBatch(messages, async ({ Body }) => {
      await tick();
      traces.add(activeTrace());
      if (Body === 'two') throw new Error('no stock');
    });
    expect(traces.size).toBe(3);
    expect(succeeded.map(({ Body }) => Body).sort()).toEqual(['one', 'three']);
    expect(failed).toEqual([{ message: expect.objectContaining({ Body: 'two' }), error: new Error('no stock') }]);
    expect(shownTraces(tracing).match(/process orders CONSUMER/g)).toHaveLength(3);
    expect(shownTraces(tracing).match(/process orders CONSUMER !Error/g)).toHaveLength(1);
  });

  test.each([
    [1, 1],
    [2, 2],
    [undefined, 4],
    [0, 4],
    [100, 4],
    [Number.NaN, 4],
  ])('with a concurrency of %p at most %p messages are handled at a time', async (concurrency, expected) => {
    let running = 0;
    let most = 0;
    const messages = ['a', 'b', 'c', 'd'].map((Body) => ({ Body }));
    await processBatch(
      messages,
      async () => {
        most = Math.max(most, ++running);
        await tick();
        running--;
      },
      { concurrency },
    );
    expect(most).toBe(expected);
    tracing = await withoutContract(tracing);
  });

  test.each([
    ['shrinks', (messages: object[]) => void messages.pop()],
    ['is emptied', (messages: object[]) => void messages.splice(0)],
    ['is reversed', (messages: object[]) => void messages.reverse()],
    ['grows', (messages: object[]) => void messages.push({ Body: 'later' })],
  ])('an array that %s meanwhile is handled as it was given', async (_, change) => {
    const messages = ['a', 'b', 'c'].map((Body) => ({ Body }));
    const handled: unknown[] = [];
    const { succeeded, failed } = await processBatch(
      messages,
      async ({ Body }) => {
        await tick();
        change(messages);
        handled.push(Body);
        if (Body === 'b') throw new Error('no stock');
      },
      { concurrency: 1 },
    );
    expect(handled).toEqual(['a', 'b', 'c']);
    expect(succeeded).toEqual([{ Body: 'a' }, { Body: 'c' }]);
    expect(failed).toEqual([{ message: { Body: 'b' }, error: new Error('no stock') }]);
    tracing = await withoutContract(tracing);
  });

  test('takes the undefined of an empty poll', async () => {
    expect(await processBatch(undefined, () => undefined)).toEqual({ succeeded: [], failed: [] });
  });
});

describe('messageContext', () => {
  test('has the creation context of a message and its baggage', async () => {
    const baggage = propagation.createBaggage({ tenant: { value: 'a' } });
    await context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), () =>
      client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' })),
    );
    const [message] = await receive(client, QueueUrl);
    const found = messageContext(message!);
    expect(trace.getSpanContext(found)?.spanId).toBe(tracing.spans()[0]?.spanContext().spanId);
    expect(propagation.getBaggage(found)?.getEntry('tenant')?.value).toBe('a');
  });

  test('reads a message that was received without us, even switched off', async () => {
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
    instrumentation.disable();
    const [message] = await receive(client, QueueUrl, { MessageAttributeNames: ['All'] });
    const { spanId } = tracing.spans()[0]!.spanContext();
    expect(trace.getSpanContext(messageContext(message!))?.spanId).toBe(spanId);
    instrumentation.enable();
    expect(trace.getSpanContext(messageContext(message!))?.spanId).toBe(spanId);
  });

  test('is the active context for what is no message', () => {
    expect(messageContext({})).toBe(context.active());
  });
});

/** For spans whose queue nobody knows, which the contract does not provide for. */
async function withoutContract(current: Tracing): Promise<Tracing> {
  await current.stop().catch(() => {});
  return startTracing([instrumentation], { contract: false });
}
