/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  type Message,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { applyInstrumentation, startTracing, type Tracing } from '@otel-messaging/test-utils';
import { processMessage, SqsInstrumentation } from '../src';
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
  instrumentation.setConfig({});
  await tracing.stop();
});

const tick = () => new Promise((resolve) => setImmediate(resolve));
const send = (...bodies: string[]) =>
  Promise.all(bodies.map((MessageBody) => client.send(new SendMessageCommand({ QueueUrl, MessageBody }))));
const postpone = ({ ReceiptHandle }: Message, VisibilityTimeout: number) =>
  client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout }));
const settlements = () =>
  tracing
    .spans()
    .flatMap(({ kind, attributes }) =>
      kind === SpanKind.CONSUMER ? [attributes['messaging.message.settlement']] : [],
    );

describe('a change of visibility', () => {
  test('says that the message comes again, and makes no span', async () => {
    await send('one');
    for (const message of await receive(client, QueueUrl)) await postpone(message, 0);
    expect(shownTraces(tracing, 'messaging.message.settlement')).toBe(
      lines(`
        send orders PRODUCER
        └─ process orders CONSUMER {messaging.message.settlement=retry}  → send orders, receive orders
        receive orders CLIENT  → send orders
      `),
    );
    for (const message of await receive(client, QueueUrl)) {
      await tick();
      await remove(client, QueueUrl, message);
    }
    expect(settlements()).toEqual(['retry', 'delete']);
  });

  test('that asks for more time is followed by the deletion, which counts', async () => {
    await send('one');
    for (const message of await receive(client, QueueUrl)) {
      await postpone(message, 60);
      await postpone(message, 60);
      await remove(client, QueueUrl, message);
    }
    expect(settlements()).toEqual(['delete']);
  });

  test('with a delay, by a handler that then fails, says the same as one without', async () => {
    await send('one');
    const [message] = await receive(client, QueueUrl);
    const handled = processMessage(message!, async (taken) => {
      await postpone(taken, 30);
      throw new Error('no stock');
    });
    await expect(handled).rejects.toThrow('no stock');
    expect(settlements()).toEqual(['retry']);
    expect(shownTraces(tracing)).toContain('process orders CONSUMER !Error');
  });

  test('that is refused says nothing, and rejects', async () => {
    await send('one');
    for (const message of await receive(client, QueueUrl)) {
      await tick();
      await expect(postpone({ ...message, ReceiptHandle: 'none' }, 0)).rejects.toBeInstanceOf(Error);
    }
    expect(settlements()).toEqual([undefined]);
  });

  test('of several messages says so of those that were changed', async () => {
    await send('one', 'two', 'three');
    const messages: Message[] = [];
    while (messages.length < 3) messages.push(...(await receive(client, QueueUrl)));
    let change: Promise<unknown> | undefined;
    const all = () => {
      const Entries = messages.map(({ ReceiptHandle }, i) => ({
        Id: `v${i}`,
        ReceiptHandle,
        VisibilityTimeout: i === 1 ? 99_999_999 : 0,
      }));
      return client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
    };
    await Promise.all(
      messages.map((message) =>
        processMessage(message, async () => {
          await tick();
          change ??= all();
          await change;
        }),
      ),
    );
    expect(settlements()).toEqual(['retry', undefined, 'retry']);
    expect(tracing.spans().some(({ name }) => /isibility/.test(name))).toBe(false);
  });
});

describe('a deletion', () => {
  test('while a span of something else is active is in the trace of its message, and links to that span', async () => {
    await send('one');
    await tracing.inSpan('cron', async () => {
      const messages = await receive(client, QueueUrl, { MaxNumberOfMessages: 1 });
      await remove(client, QueueUrl, messages[0]!);
    });
    expect(shownTraces(tracing)).toBe(
      lines(`
        send orders PRODUCER
        └─ delete orders CLIENT  → send orders, cron
        cron INTERNAL
        └─ receive orders CLIENT  → send orders
      `),
    );
  });

  test('of one, as a batch, is in the trace of its message too', async () => {
    await send('one');
    await tracing.inSpan('cron', async () => {
      const messages = await receive(client, QueueUrl);
      const Entries = [{ Id: 'a', ReceiptHandle: messages[0]?.ReceiptHandle }];
      await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    });
    expect(shownTraces(tracing)).toContain(
      lines(`
        send orders PRODUCER
        └─ delete orders CLIENT  → send orders, cron
      `),
    );
  });

  test('below a span that the handler made, even one of another trace, stays there', async () => {
    await send('one');
    for (const message of await receive(client, QueueUrl)) {
      await tick();
      const own = trace.getTracer('application').startSpan('own', { root: true });
      await context.with(trace.setSpan(context.active(), own), () => remove(client, QueueUrl, message));
      own.end();
    }
    expect(shownTraces(tracing)).toContain(
      lines(`
        own INTERNAL
        └─ delete orders CLIENT  → send orders
      `),
    );
  });

  test.each(['untrusted', 'unsampled by X-Ray'])(
    'of a message from a producer that is %s is no part of the producer’s trace',
    async (kind) => {
      if (kind === 'untrusted') instrumentation.setConfig({ trustIncoming: false });
      const StringValue = `Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=0`;
      instrumentation.disable();
      await client.send(
        new SendMessageCommand({
          QueueUrl,
          MessageBody: 'one',
          MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue } },
        }),
      );
      instrumentation.enable();
      const messages = await receive(client, QueueUrl);
      await context.with(ROOT_CONTEXT, () => remove(client, QueueUrl, messages[0]!));
      const deletion = tracing.spans().find(({ name }) => name.startsWith('delete'));
      expect(deletion?.parentSpanContext).toBeUndefined();
      expect(deletion?.links[0]?.context.spanId).toBe('b7ad6b7169203331');
    },
  );

  test('of several messages links to each producer, and tells which of them failed', async () => {
    await send('one', 'two');
    const messages: Message[] = [];
    while (messages.length < 2) messages.push(...(await receive(client, QueueUrl)));
    const [first, second] = messages;
    instrumentation.disable();
    await remove(client, QueueUrl, second!);
    instrumentation.enable();
    const Entries = [
      { Id: 'a', ReceiptHandle: first?.ReceiptHandle },
      { Id: 'b', ReceiptHandle: 'none' },
    ];
    const { Failed } = await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    expect(Failed).toHaveLength(1);
    const deletion = tracing.spans().find(({ name }) => name.startsWith('delete'));
    expect(deletion?.status.code).toBe(0);
    expect(deletion?.links).toHaveLength(1);
  });

  test('marks those messages that were deleted, and the link of one that the service refused', async () => {
    await send('one', 'two');
    const messages: Message[] = [];
    while (messages.length < 2) messages.push(...(await receive(client, QueueUrl)));
    const Entries = messages.map(({ MessageId, ReceiptHandle }) => ({ Id: MessageId, ReceiptHandle }));
    // As the service answers where it cannot say.
    client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        const [Successful, Failed] = [Entries.slice(0, 1), [{ Id: Entries[1]?.Id, Code: 'InternalError' }]];
        return { ...result, output: { ...result.output, Successful, Failed } as never };
      },
      { step: 'deserialize', priority: 'high' },
    );
    const deleted = client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    await Promise.all(messages.map((message) => processMessage(message, () => deleted)));
    const deletion = tracing.spans().find(({ name }) => name.startsWith('delete'));
    expect(deletion?.links.map(({ attributes }) => attributes?.['error.type'])).toEqual([undefined, 'InternalError']);
    expect(settlements()).toEqual(['delete', undefined]);
  });
});
