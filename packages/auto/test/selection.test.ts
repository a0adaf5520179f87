/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { environmentOf, isSelected, selectionFrom, shortName } from '../src/selection';

const ENABLED = 'OTEL_NODE_ENABLED_INSTRUMENTATIONS';
const DISABLED = 'OTEL_NODE_DISABLED_INSTRUMENTATIONS';

function selected(enabled?: string, disabled?: string): string[] {
  const selection = selectionFrom({ [ENABLED]: enabled, [DISABLED]: disabled });
  return ['sqs', 'amqp', 'kafka', 'http'].filter((name) => isSelected(selection, name));
}

test.each([
  ['neither variable', undefined, undefined, ['sqs', 'amqp', 'kafka', 'http']],
  ['empty lists', '', '', ['sqs', 'amqp', 'kafka', 'http']],
  ['a list of nothing', ' , ,', undefined, ['sqs', 'amqp', 'kafka', 'http']],
  ['one enabled', 'sqs', undefined, ['sqs']],
  ['spaces and capitals', ' SQS , Kafka ', undefined, ['sqs', 'kafka']],
  [
    'package names',
    '@otel-messaging/instrumentation-sqs,@opentelemetry/instrumentation-http',
    undefined,
    ['sqs', 'http'],
  ],
  ['one disabled', undefined, 'amqp', ['sqs', 'kafka', 'http']],
  ['enabled and disabled', 'sqs,kafka', 'kafka', ['sqs']],
  ['names of others only', 'express', undefined, []],
])('%s', (_name, enabled, disabled, expected) => {
  expect(selected(enabled, disabled)).toEqual(expected);
});

test.each([
  ['sqs', 'sqs'],
  [' AMQP\t', 'amqp'],
  ['@otel-messaging/instrumentation-kafka', 'kafka'],
  ['@OpenTelemetry/Instrumentation-Http', 'http'],
  ['@other/instrumentation-http', '@other/instrumentation-http'],
])('the short name of %j is %j', (name, short) => {
  expect(shortName(name)).toBe(short);
});

test('the environment for upstream holds its own names only', () => {
  const selection = selectionFrom({ [ENABLED]: 'SQS, Express', [DISABLED]: 'kafka' });
  expect(environmentOf(selection, (name) => name === 'express')).toEqual({ [ENABLED]: 'express', [DISABLED]: '' });
});
