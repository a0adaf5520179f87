/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { MESSAGING_NAMES, UPSTREAM_NAMES, unknownNames } from '../src/known-names';

const KNOWN = [...MESSAGING_NAMES, ...UPSTREAM_NAMES];

test('names of ours and of upstream are known', () => {
  expect(unknownNames(['sqs', 'amqp', 'kafka', 'amqplib', 'kafkajs', 'aws-sdk', 'http', 'fs'], KNOWN)).toEqual([]);
});

test.each([
  ['sqss', 'sqs'],
  ['ampq', 'amqp'],
  ['kafak', 'kafka'],
  ['expres', 'express'],
  ['rabbitmq', undefined],
  ['all', undefined],
])('%s is unknown, meant %s', (name, meant) => {
  expect(unknownNames([name], KNOWN)).toEqual([{ name, meant }]);
});
