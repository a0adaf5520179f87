/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type Tracing, traceText } from '@otel-messaging/test-utils';
import type { EachBatchPayload, EachMessagePayload, IHeaders, Message, Producer } from 'kafkajs';
import { captureContext } from '../src';
import { forEachTest } from './kafka';

let tracing: Tracing;
let producer: Producer;
let topic: string;
const { instrumentation, cluster } = forEachTest((own) => {
  ({ tracing, topic } = own);
});

beforeAll(async () => {
  producer = await cluster.producer();
});

const ATTRIBUTES = ['messaging.message.retry.count', 'messaging.dead_letter.source'];
const text = (attributes = ATTRIBUTES) =>
  traceText(tracing.spans(), { attributes, rename: (name) => name.replaceAll(topic, 'orders') }).replaceAll(
    /\{messaging\.(message\.)?/g,
    '{',
  );
const COUNT = 'otel-messaging-retry-count';
const SOURCE = 'otel-messaging-dead-letter-source';

/** Where a message goes from each topic, as an application would have it: two retries, then the dead-letter topic. */
const NEXT: Record<string, string> = { '': '.retry.1', '.retry.1': '.retry.2', '.retry.2': '.DLT' };
const CHAIN = ['', ...Object.values(NEXT)];

type Republish = (message: EachMessagePayload['message']) => Message;
const withHeaders: Republish = ({ value, headers }) => ({ value, headers });
const valueAlone: Republish = ({ value }) => ({ value });

/** Runs a consumer of all topics that sends each message on to the next, until it has come to the last. */
async function runChain(republish: Republish, names = CHAIN): Promise<IHeaders[]> {
  const topics = names.map((suffix) => `${topic}${suffix}`);
  const headers: IHeaders[] = [];
  await cluster.create(topics.slice(1));
  await producer.send({ topic, messages: [{ value: '1', headers: { tenant: 'a' } }] });
  const eachMessage = async ({ topic: from, message }: EachMessagePayload) => {
    headers.push({ ...message.headers });
    const next = topics[topics.indexOf(from) + 1];
    if (next !== undefined) await producer.send({ topic: next, messages: [republish(message)] });
  };
  await cluster.run(topics, { eachMessage }, () => headers.length === topics.length);
  return headers;
}

const CHAIN_TEXT = [
  'send orders PRODUCER',
  '└─ process orders CONSUMER  → send orders',
  '   └─ send orders.retry.1 PRODUCER',
  '      └─ process orders.retry.1 CONSUMER {retry.count=1}  → send orders.retry.1',
  '         └─ send orders.retry.2 PRODUCER',
  '            └─ process orders.retry.2 CONSUMER {retry.count=2}  → send orders.retry.2',
  '               └─ send orders.DLT PRODUCER',
  '                  └─ process orders.DLT CONSUMER {retry.count=3} {dead_letter.source=orders}  → send orders.DLT',
].join('\n');

test.each([
  ['with its headers', withHeaders],
  ['with its value alone', valueAlone],
])('a message republished %s: one chain, with the number of each attempt and where it died', async (_, republish) => {
  const headers = await runChain(republish);
  expect(text()).toBe(CHAIN_TEXT);
  expect(headers.map((all) => all[COUNT] && String(all[COUNT]))).toEqual([undefined, '1', '2', '3']);
  expect(headers.map(({ traceparent }) => new Set(String(traceparent).split(',')).size)).toEqual([1, 1, 1, 1]);
});

test('a dead-letter topic of several topics: the message says where it died', async () => {
  // A name of its own, since the broker's topics are those of all tests.
  const shared = `${topic}-everything`;
  instrumentation.setConfig({ retryTopics: (name) => (name === shared ? { kind: 'dead-letter' } : undefined) });
  const headers = await runChain(valueAlone, ['', '.retry', '-everything']);
  expect(text().split('\n').at(-1)?.trim()).toBe(
    '└─ process orders-everything CONSUMER {retry.count=2} {dead_letter.source=orders}  → send orders-everything',
  );
  expect(headers.map((all) => all[SOURCE] && String(all[SOURCE]))).toEqual([undefined, undefined, topic]);
});

test('with several messages in one call, and to several topics', async () => {
  const retry = `${topic}.retry`;
  await cluster.create([retry, `${topic}.other`]);
  await producer.send({ topic, messages: [{ value: '1' }] });
  const seen: Record<string, (string | undefined)[]> = { [retry]: [], [`${topic}.other`]: [] };
  const eachMessage = async ({ topic: from, message: { value, headers } }: EachMessagePayload) => {
    seen[from]?.push(headers?.[COUNT] && String(headers[COUNT]));
    if (from !== topic) return;
    const messages = [{ value }, { value }];
    await producer.send({ topic: retry, messages });
    await producer.sendBatch({
      topicMessages: [
        { topic: retry, messages },
        { topic: `${topic}.other`, messages },
      ],
    });
  };
  await cluster.run([topic, ...Object.keys(seen)], { eachMessage }, () => Object.values(seen).flat().length === 6);
  expect(seen).toEqual({ [retry]: ['1', '1', '1', '1'], [`${topic}.other`]: [undefined, undefined] });
});

test('from the walk through a batch', async () => {
  const retry = `${topic}.retry`;
  await cluster.create([retry]);
  await producer.send({ topic, messages: [{ value: '1' }, { value: '2' }] });
  const counts: string[] = [];
  const eachBatch = async ({ batch }: EachBatchPayload) => {
    for (const { value, headers } of batch.messages) {
      if (batch.topic === topic) await producer.send({ topic: retry, messages: [{ value }] });
      else counts.push(String(headers?.[COUNT]));
    }
  };
  await cluster.run([topic, retry], { eachBatch }, () => counts.length === 2);
  expect(counts).toEqual(['1', '1']);
});

test('a message of another topic, and one that is sent outside of any handler, is no attempt', async () => {
  const retry = `${topic}.retry`;
  const other = await cluster.topic();
  await cluster.create([retry]);
  await producer.send({ topic: retry, messages: [{ value: '1' }] });
  await producer.send({ topic: other, messages: [{ value: '2' }] });
  const seen: (IHeaders | undefined)[] = [];
  const eachMessage = async ({ topic: from, message: { value, headers } }: EachMessagePayload) => {
    if (from === other) await producer.send({ topic: retry, messages: [{ value }] });
    else seen.push(headers);
  };
  await cluster.run([other, retry], { eachMessage }, () => seen.length === 2);
  expect(seen.map((headers) => Object.keys(headers ?? {}))).toEqual([['traceparent'], ['traceparent']]);
  expect(text()).not.toContain('retry.count');
});

test("what others write is read: Spring's attempts and original topic", async () => {
  const dead = `${topic}-dlt`;
  await cluster.create([dead]);
  const attempts = Buffer.from([0, 0, 0, 4]);
  const headers = { 'retry_topic-attempts': attempts, 'kafka_dlt-original-topic': 'invoices' };
  await producer.send({ topic: dead, messages: [{ value: '1', headers }] });
  let entries = 0;
  const eachMessage = async () => {
    entries++;
  };
  await cluster.run([dead], { eachMessage }, () => entries === 1);
  expect(text()).toContain('process orders-dlt CONSUMER {retry.count=3} {dead_letter.source=invoices}');
});

describe('the option retryTopics', () => {
  test('says it of topics with other names', async () => {
    instrumentation.setConfig({
      retryTopics: (name) => (name.endsWith('-later') ? { kind: 'retry', source: name.slice(0, -6) } : undefined),
    });
    await runChain(valueAlone, ['', '-later']);
    expect(text()).toContain('process orders-later CONSUMER {retry.count=1}');
  });

  test('false leaves messages and spans alone', async () => {
    instrumentation.setConfig({ retryTopics: false });
    const headers = await runChain(withHeaders);
    expect(text()).not.toContain('{');
    expect(headers.flatMap((all) => Object.keys(all))).not.toContain(COUNT);
  });
});

describe('an outbox', () => {
  const send = (message: Message) => producer.send({ topic, messages: [message] });

  test('what was captured is in the row; the relay keeps and links it, and the consumer is in the original trace', async () => {
    let row = '';
    await tracing.inSpan('POST /orders', () => {
      row = JSON.stringify({ value: '1', headers: captureContext() });
    });
    await tracing.inSpan('relay', async () => {
      const { value, headers } = JSON.parse(row);
      await send({ value, headers: { ...headers, tenant: 'a' } });
    });
    let entries = 0;
    const eachMessage = async () => {
      entries++;
    };
    await cluster.run([topic], { eachMessage }, () => entries === 1);
    expect(text()).toBe(
      [
        'POST /orders INTERNAL',
        '└─ process orders CONSUMER  → POST /orders',
        'relay INTERNAL',
        '└─ send orders CLIENT  → POST /orders',
      ].join('\n'),
    );
  });

  test('that is written by a handler: its consumer is below that handler, not below the message it handled', async () => {
    const next = await cluster.topic();
    const rows: Message[] = [];
    await send({ value: '1' });
    const eachMessage = async ({ message: { value } }: EachMessagePayload) => {
      rows.push({ value, headers: captureContext() });
    };
    await cluster.run([topic], { eachMessage }, () => rows.length === 1);
    await producer.send({ topic: next, messages: rows });
    let entries = 0;
    await cluster.run([next], { eachMessage: async () => void entries++ }, () => entries === 1);
    expect(text().replaceAll(next, 'bills')).toBe(
      [
        'send orders PRODUCER',
        '└─ process orders CONSUMER  → send orders',
        '   └─ process bills CONSUMER  → process orders',
        'send bills CLIENT  → process orders',
      ].join('\n'),
    );
  });
});
