/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Message } from '@aws-sdk/client-sqs';

interface Shown {
  readonly name: string;
  readonly scope: string;
  readonly id: string;
  readonly trace: string;
  readonly parent?: string;
}

interface Result {
  readonly spans: Shown[];
  readonly messages: Message[];
}

type Application = 'sends.cjs' | 'sends.mjs' | 'sends-later.mjs';

/** Runs the application as its user would, with the instrumentations registered in this order. */
async function run(
  order: string,
  options: object = {},
  env: Record<string, string> = {},
  application: Application = 'sends.cjs',
): Promise<Result> {
  const { NODE_OPTIONS: _, ...own } = process.env;
  const bootstrap = application === 'sends.mjs' ? ['--import', join(__dirname, 'fixtures/bootstrap.cjs')] : [];
  const args = [...bootstrap, join(__dirname, 'fixtures', application), order, JSON.stringify(options)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...own, ...env } });
  return JSON.parse(stdout) as Result;
}

const named = ({ spans }: Result, ...scopes: string[]) =>
  spans.filter(({ scope }) => scopes.includes(scope)).map(({ name }) => name);

const carried = ({ messages }: Result) =>
  messages.map(({ MessageAttributes }) => MessageAttributes?.['traceparent']?.StringValue?.slice(36, 52)).sort();

const OURS = ['send it', 'publish it', 'process it', 'delete it'];
const THEIRS = ['SQS.CreateQueue', 'SNS CreateTopic', 'SNS Subscribe'];

function expectOneSpanForEachCall(result: Result): void {
  expect(new Set(named(result, 'sqs'))).toEqual(new Set([...OURS, 'receive it']));
  expect(named(result, 'sqs').filter((name) => !name.startsWith('receive'))).toHaveLength(6);
  const sent = result.spans.filter(({ name }) => ['send it', 'publish it'].includes(name)).map(({ id }) => id);
  expect(carried(result)).toEqual(sent.sort());
  for (const { MessageAttributes } of result.messages) expect(Object.keys(MessageAttributes ?? {})).toHaveLength(1);
}

test.each([
  ['ours,upstream', 'sends.cjs'],
  ['upstream,ours', 'sends.cjs'],
  ['ours,upstream', 'sends.mjs'],
  ['upstream,ours', 'sends.mjs'],
  ['ours,upstream,ours', 'sends.cjs'],
  ['ours,upstream,ours', 'sends.mjs'],
] as const)(
  'registered as %s, each call of %s has one span and each message one context, and other calls stay traced',
  async (order, application) => {
    const result = await run(order, {}, {}, application);
    expectOneSpanForEachCall(result);
    expect(named(result, 'aws-sdk').sort()).toEqual([...THEIRS].sort());
  },
  30_000,
);

test.each([
  ['sends.mjs', 'ours'],
  ['sends-later.mjs', 'ours'],
  ['sends.mjs', 'ours,ours'],
] as const)(
  'the ES modules of %s are traced by %s from the first call on, without a loader hook',
  async (application, order) => {
    const result = await run(order, {}, {}, application);
    expectOneSpanForEachCall(result);
    expect(result.spans).toHaveLength(named(result, 'sqs').length);
  },
  30_000,
);

test.each(['sends.cjs', 'sends.mjs'] as const)(
  'HTTP spans of %s are below ours, but for polls',
  async (application) => {
    const { spans } = await run('ours,http', {}, {}, application);
    const parents = spans.filter(({ scope }) => scope === 'http').map(({ parent }) => parent);
    const below = spans.filter(({ id }) => parents.includes(id)).map(({ name }) => name);
    expect(new Set(below)).toEqual(new Set(['send it', 'publish it', 'delete it']));
    expect(parents.filter((parent) => parent === undefined)).toHaveLength(3); // of calls that are not ours
  },
  30_000,
);

test('with suppressHttpSpans only those of other calls are left', async () => {
  const { spans } = await run('ours,http', { suppressHttpSpans: true });
  const http = spans.filter(({ scope }) => scope === 'http');
  expect(http).toHaveLength(3);
  expect(http.map(({ parent }) => parent)).toEqual([undefined, undefined, undefined]);
  expect(spans.filter(({ scope }) => scope === 'sqs').map(({ name }) => name)).toEqual(expect.arrayContaining(OURS));
}, 30_000);

test('an application of SNS leaves these traces, with its callbacks, batches and headers', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(__dirname, 'fixtures/topics.cjs')]);
  expect(stdout).toBe(readFileSync(join(__dirname, 'fixtures/topics.txt'), 'utf8'));
}, 30_000);

test('in a Lambda function the X-Ray header has the lineage by which Lambda finds loops, and is ours otherwise', async () => {
  const invocation = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0;Lineage=25:a87bd80c:1';
  const result = await run('ours', {}, { AWS_LAMBDA_FUNCTION_NAME: 'resize', _X_AMZN_TRACE_ID: invocation });
  const send = result.spans.find(({ name }) => name === 'send it')!;
  const headers = result.messages.map(({ Attributes }) => Attributes?.['AWSTraceHeader']);
  expect(headers).toContain(
    `Root=1-${send.trace.slice(0, 8)}-${send.trace.slice(8)};Parent=${send.id};Sampled=1;Lineage=25:a87bd80c:1`,
  );
}, 30_000);
