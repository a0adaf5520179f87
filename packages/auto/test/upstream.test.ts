/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Instrumentation } from '@opentelemetry/instrumentation';

import { selectionFrom } from '../src/selection';
import { loadUpstream, upstreamInstrumentations, upstreamNames } from '../src/upstream';

const ENABLED = 'OTEL_NODE_ENABLED_INSTRUMENTATIONS';
const DISABLED = 'OTEL_NODE_DISABLED_INSTRUMENTATIONS';
const OURS = ['sqs', 'amqp', 'kafka'].map(
  (name) => ({ instrumentationName: `@otel-messaging/instrumentation-${name}` }) as Instrumentation,
);

let application: string;

beforeEach(() => {
  application = mkdtempSync(join(tmpdir(), 'otel-messaging-'));
  jest.spyOn(process, 'cwd').mockReturnValue(application);
});

afterEach(() => {
  jest.restoreAllMocks();
  rmSync(application, { recursive: true });
});

/** Installs a package in place of upstream's that returns one instrumentation, named after what it was asked. */
function install(code: string): void {
  const folder = join(application, 'node_modules/@opentelemetry/auto-instrumentations-node');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.js'), code);
  const dependencies = { '@opentelemetry/instrumentation-new-one': '1.0.0', '@opentelemetry/core': '1.0.0' };
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ main: 'index.js', exports: './index.js', dependencies }),
  );
}

const ECHO = `exports.getNodeAutoInstrumentations = (config) => [{
  instrumentationName: JSON.stringify({ config, enabled: process.env.${ENABLED}, disabled: process.env.${DISABLED} }),
}];`;

function asked(env: NodeJS.ProcessEnv, ours = OURS): unknown {
  const selection = selectionFrom(env);
  const upstream = loadUpstream(selection);
  const [instrumentation] = upstream ? upstreamInstrumentations(upstream, selection, ours) : [];
  return instrumentation && JSON.parse(instrumentation.instrumentationName);
}

test('an application without the package gets nothing from it', () => {
  expect(loadUpstream(selectionFrom({}))).toBeUndefined();
  expect(upstreamNames()).toEqual([]);
});

test('what ours replace is left out', () => {
  install(ECHO);
  expect(asked({})).toMatchObject({
    config: {
      '@opentelemetry/instrumentation-amqplib': { enabled: false },
      '@opentelemetry/instrumentation-kafkajs': { enabled: false },
    },
  });
});

test('what ours would replace stays if ours is off', () => {
  install(ECHO);
  const withoutAmqp = OURS.filter(({ instrumentationName }) => !instrumentationName.endsWith('amqp'));
  expect(asked({ [DISABLED]: 'amqp' }, withoutAmqp)).toEqual({
    config: { '@opentelemetry/instrumentation-kafkajs': { enabled: false } },
    enabled: '',
    disabled: '',
  });
});

test('it reads the names without ours, and the environment is afterwards as it was', () => {
  install(ECHO);
  process.env[ENABLED] = 'SQS, Express';
  delete process.env[DISABLED];
  expect(asked(process.env)).toMatchObject({ enabled: 'express', disabled: '' });
  expect(process.env[ENABLED]).toBe('SQS, Express');
  expect(DISABLED in process.env).toBe(false);
  delete process.env[ENABLED];
});

test.each(['sqs', 'sqs,http', 'sqs,express'])(
  'with only %s enabled it is asked only if it has something to give',
  (list) => {
    install(ECHO);
    expect(asked({ [ENABLED]: list }) !== undefined).toBe(list.includes('express'));
  },
);

test('its own names are those of its dependencies', () => {
  install(ECHO);
  expect(upstreamNames()).toEqual(['new-one']);
});

test.each([
  ['loaded', 'throw new Error("broken")', 'could not load @opentelemetry/auto-instrumentations-node: broken'],
  ['asked', 'exports.getNodeAutoInstrumentations = () => broken', 'could not make the instrumentations of'],
])('a package that cannot be %s is reported and does no harm', (_what, code, line) => {
  const write = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  install(code);
  expect(asked({})).toBeUndefined();
  expect(write.mock.calls.join()).toContain(line);
});
