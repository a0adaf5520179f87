/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { getMessagingInstrumentations, type MessagingInstrumentationsConfig } from '../src';

const ENABLED = 'OTEL_NODE_ENABLED_INSTRUMENTATIONS';
const DISABLED = 'OTEL_NODE_DISABLED_INSTRUMENTATIONS';

afterEach(() => {
  delete process.env[ENABLED];
  delete process.env[DISABLED];
});

function names(config?: MessagingInstrumentationsConfig): string[] {
  return getMessagingInstrumentations(config).map((instrumentation) => {
    instrumentation.disable();
    return instrumentation.instrumentationName.replace('@otel-messaging/instrumentation-', '');
  });
}

test('all three by default', () => {
  expect(names()).toEqual(['sqs', 'amqp', 'kafka']);
});

test.each<[string, MessagingInstrumentationsConfig, Record<string, string>, string[]]>([
  ['one that the configuration leaves out', { amqp: { enabled: false } }, {}, ['sqs', 'kafka']],
  ['by package name', { '@otel-messaging/instrumentation-sqs': { enabled: false } }, {}, ['amqp', 'kafka']],
  ['one that the environment enables', {}, { [ENABLED]: 'kafka' }, ['kafka']],
  ['options say nothing about being enabled', { sqs: {} }, { [DISABLED]: 'sqs' }, ['amqp', 'kafka']],
  ['the configuration wins over a list', { sqs: { enabled: true } }, { [ENABLED]: 'kafka' }, ['sqs', 'kafka']],
])('%s', (_name, config, env, expected) => {
  Object.assign(process.env, env);
  expect(names(config)).toEqual(expected);
});

test.each(['sqs', 'amqp', 'kafka'] as const)('options of %s arrive there', (name) => {
  const config = { captureHeaders: ['x-*'] };
  const instrumentations = getMessagingInstrumentations({ [name]: config });
  for (const instrumentation of instrumentations) instrumentation.disable();
  const configured = instrumentations.find(({ instrumentationName }) => instrumentationName.endsWith(name))!;
  expect(configured.getConfig()).toMatchObject(config);
});

test('two calls give two sets of instances', () => {
  const [first] = getMessagingInstrumentations();
  const [second] = getMessagingInstrumentations();
  expect(first).not.toBe(second);
});
