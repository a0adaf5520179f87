/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { killApplications, PRELOADS, runApplication } from './application';
import { type Collector, startCollector } from './collector';

const REGISTER = '@otel-messaging/auto/register';
const CLIENT = 3;
const SERVER = 2;

let collector: Collector;

beforeEach(async () => {
  collector = await startCollector();
});

afterEach(async () => {
  killApplications();
  await collector.close();
});

describe.each(PRELOADS)('with node %s', (preload) => {
  test.each(['one-request.cjs', 'one-request.mjs'])(
    '%s gets one trace of two spans, exported at its natural end',
    async (fixture) => {
      const end = await runApplication(fixture, { node: [preload, REGISTER], env: collector.env });
      expect(end).toMatchObject({ code: 0, stdout: 'done\n' });
      const [server, client] = [...collector.spans].sort((a, b) => a.kind - b.kind);
      expect(collector.spans).toHaveLength(2);
      expect(server).toMatchObject({ kind: SERVER, service: 'fixture', parentSpanId: client!.spanId });
      expect(client).toMatchObject({ kind: CLIENT, traceId: server!.traceId });
    },
  );
});

test('an application that prints nothing on standard error still prints nothing', async () => {
  const end = await runApplication('one-request.mjs', { env: collector.env });
  expect(end.stderr).toBe('');
});

test('loaded by every way at once it starts once', async () => {
  const node = ['--require', REGISTER, '--require', join(__dirname, '../build/register.js'), '--import', REGISTER];
  const end = await runApplication('one-request.mjs', { node, env: collector.env });
  expect(end).toMatchObject({ code: 0, stderr: '' });
  expect(collector.spans).toHaveLength(2);
});

test('worker threads are traced', async () => {
  const end = await runApplication('worker.cjs', { env: collector.env });
  expect(end).toMatchObject({ code: 0, stderr: '', stdout: 'done\nworker ended 0\n' });
  expect(collector.spans).toHaveLength(2);
});

test.each(['true', ' TRUE '])('OTEL_SDK_DISABLED=%j leaves nothing in the process', async (value) => {
  const without = await runApplication('traces-left.cjs', { node: [] });
  const disabled = await runApplication('traces-left.cjs', { env: { OTEL_SDK_DISABLED: value } });
  expect(disabled).toEqual(without);
  expect(JSON.parse(without.stdout)).toMatchObject({ isHttpPatched: false, packages: [] });
});

test('OTEL_SDK_DISABLED=false disables nothing', async () => {
  await runApplication('one-request.cjs', { env: { ...collector.env, OTEL_SDK_DISABLED: 'false' } });
  expect(collector.spans).toHaveLength(2);
});

test('http can be left out', async () => {
  const env = { ...collector.env, OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'http' };
  expect(await runApplication('one-request.cjs', { env })).toMatchObject({ code: 0, stderr: '' });
  expect(collector.spans).toEqual([]);
});

test('with an SDK of the application none is started', async () => {
  const node = ['--require', join(__dirname, 'fixtures/other-sdk.cjs'), '--require', REGISTER];
  const end = await runApplication('traces-left.cjs', { node, env: collector.env });
  const { listeners, isHttpPatched } = JSON.parse(end.stdout);
  expect(end.stderr).toBe('');
  expect(isHttpPatched).toBe(false);
  expect(listeners.join()).not.toMatch(/SIG|beforeExit/);
});

describe('a mistake in the environment is said in one line, and the application runs', () => {
  test.each([
    ['OTEL_NODE_ENABLED_INSTRUMENTATIONS', 'sqss,http', /unknown instrumentation "sqss"; did you mean "sqs"\?/],
    [
      'OTEL_NODE_DISABLED_INSTRUMENTATIONS',
      'rabbitmq',
      /unknown instrumentation "rabbitmq"; ours are sqs, amqp, kafka/,
    ],
    ['OTEL_NODE_ENABLED_INSTRUMENTATIONS', 'http,express', /names none of sqs, amqp, kafka: no messages are traced/],
    ['OTEL_TRACES_EXPORTER', 'oltp', /Unrecognized OTEL_TRACES_EXPORTER value: oltp/],
    ['OTEL_TRACES_SAMPLER', 'sometimes', /OTEL_TRACES_SAMPLER/],
    ['OTEL_PROPAGATORS', 'w3c', /Propagator "w3c"/],
    ['OTEL_MESSAGING_FLUSH_TIMEOUT', 'soon', /OTEL_MESSAGING_FLUSH_TIMEOUT is "soon"/],
    ['OTEL_CONFIG_FILE', '/nowhere/otel.yaml', /Could not load OpenTelemetry configuration/],
  ])('%s=%s', async (variable, value, line) => {
    const end = await runApplication('one-request.cjs', { env: { ...collector.env, [variable]: value } });
    expect(end).toMatchObject({ code: 0, stdout: 'done\n' });
    expect(end.stderr.match(new RegExp(line, 'g'))).toHaveLength(1);
  });

  test('names of upstream and OTEL_TRACES_EXPORTER=none are no mistakes', async () => {
    const env = { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http,amqplib,redis,SQS', OTEL_TRACES_EXPORTER: 'none' };
    const end = await runApplication('one-request.cjs', { env: { ...collector.env, ...env } });
    expect(end).toMatchObject({ code: 0, stderr: '' });
  });
});

test('a preload that cannot be loaded says so in one line, and the application runs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'otel-messaging-'));
  try {
    cpSync(join(__dirname, '../build'), folder, { recursive: true });
    const end = await runApplication('one-request.cjs', { node: ['--require', join(folder, 'register.js')] });
    expect(end).toMatchObject({ code: 0, stdout: 'done\n' });
    expect(end.stderr).toMatch(/^\[@otel-messaging\/auto\] could not start tracing: Cannot find module '[^\n]*\n$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
