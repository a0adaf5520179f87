/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diag } from '@opentelemetry/api';

import { getMessagingInstrumentations } from '../src';
import { killApplications, runApplication } from './application';
import { type Collector, type ReceivedSpan, startCollector } from './collector';

const DUP =
  'instrumentation/development: { general: { messaging: { semconv: { version: 1, experimental: true, dual_emit: true } } } }';
const NEW = 'instrumentation/development: { general: { messaging: { semconv: { version: 1, experimental: true } } } }';
const DUP_LISTED = 'instrumentation/development: { general: { stability_opt_in_list: "http/dup,messaging/dup" } }';
const NEW_LISTED = 'instrumentation/development: { general: { stability_opt_in_list: messaging } }';

const folder = mkdtempSync(join(tmpdir(), 'otel-messaging-'));

afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(...lines: string[]): string {
  const path = join(folder, 'otel.yaml');
  writeFileSync(path, ['file_format: "1.0"', ...lines, ''].join('\n'));
  return path;
}

describe('instrumentations for a bootstrap', () => {
  afterEach(() => {
    delete process.env['OTEL_CONFIG_FILE'];
    diag.disable();
  });

  function modes(semconv?: 'new' | 'dup'): unknown[] {
    const config = { sqs: { semconv }, amqp: { semconv }, kafka: { semconv } };
    return getMessagingInstrumentations(config).map((instrumentation) => {
      instrumentation.disable();
      return (instrumentation.getConfig() as { semconv?: unknown }).semconv;
    });
  }

  test.each([
    ['the older names', DUP, 'new', 'dup'],
    ['the new names', NEW, 'dup', 'new'],
    ['nothing of it', '', 'dup', 'dup'],
  ] as const)('a file that asks for %s', (_name, line, option, expected) => {
    process.env['OTEL_CONFIG_FILE'] = fileOf(line);
    expect(modes(option)).toEqual([expected, expected, expected]);
  });

  test.each([
    ['of another schema', () => fileOf('instrumentation/development: { general: { messaging: 7 } }')],
    ['that is not there', () => join(folder, 'nowhere.yaml')],
  ])('a file %s changes nothing, and a line of diagnostics says so', (_name, file) => {
    const warn = jest.fn();
    diag.setLogger({ error: warn, warn, info() {}, debug() {}, verbose() {} });
    process.env['OTEL_CONFIG_FILE'] = file();
    expect(modes('dup')).toEqual(['dup', 'dup', 'dup']);
    expect(warn.mock.calls).toEqual([[expect.stringContaining('could not read the file'), expect.anything()]]);
  });

  test('a blank variable is none', () => {
    process.env['OTEL_CONFIG_FILE'] = ' ';
    expect(modes()).toEqual([undefined, undefined, undefined]);
  });
});

describe('the preload', () => {
  let collector: Collector;

  beforeAll(() => {
    if (!process.env['RABBITMQ_URL']) throw new Error('no broker for these tests: RABBITMQ_URL not set');
  });

  beforeEach(async () => {
    collector = await startCollector();
  });

  afterEach(async () => {
    killApplications();
    await collector.close();
  });

  async function send(line: string, env: Record<string, string> = {}): Promise<readonly ReceivedSpan[]> {
    const endpoint = `${collector.env['OTEL_EXPORTER_OTLP_ENDPOINT']}/v1/traces`;
    const file = fileOf(
      `tracer_provider: { processors: [{ batch: { exporter: { otlp_http: { endpoint: "${endpoint}", encoding: json } } } }] }`,
      line,
    );
    const end = await runApplication('message.cjs', { args: ['amqp'], env: { ...env, OTEL_CONFIG_FILE: file } });
    expect(end).toEqual({ code: 0, signal: null, stdout: 'done\n', stderr: '' });
    return collector.spans.filter(({ scope }) => scope === '@otel-messaging/instrumentation-amqp');
  }

  function count(spans: readonly ReceivedSpan[], key: string): number {
    return spans.filter(({ attributes }) => attributes.some((attribute) => attribute.key === key)).length;
  }

  const OPT_IN = 'OTEL_SEMCONV_STABILITY_OPT_IN';

  test.each([
    ['the older names', DUP, {}, 2],
    ['the older names in the list', DUP_LISTED, {}, 2],
    ['the older names, the environment not', DUP, { [OPT_IN]: 'messaging' }, 2],
    ['nothing of it, the environment for the older names', '', { [OPT_IN]: 'messaging/dup' }, 2],
    ['the new names', NEW, {}, 0],
    ['the new names, the environment for the older', NEW, { [OPT_IN]: 'messaging/dup' }, 0],
    ['the new names in the list, the environment for the older', NEW_LISTED, { [OPT_IN]: 'messaging/dup' }, 0],
  ])('a file asks for %s', async (_name, line, env, old) => {
    const spans = await send(line, env);
    expect(spans).toHaveLength(2);
    expect(count(spans, 'messaging.destination.name')).toBe(2);
    expect(count(spans, 'messaging.destination_kind')).toBe(old);
  });

  test('a file of another schema is reported once, and nothing is traced', async () => {
    const OTEL_CONFIG_FILE = fileOf('instrumentation/development: { general: { messaging: 7 } }');
    const end = await runApplication('message.cjs', { args: ['amqp'], env: { OTEL_CONFIG_FILE } });
    expect(end).toMatchObject({ code: 0, stdout: 'done\n' });
    expect(end.stderr.match(/Could not load OpenTelemetry configuration/g)).toHaveLength(1);
    expect(end.stderr).not.toContain('@otel-messaging/auto');
    expect(collector.spans).toEqual([]);
  });
});
