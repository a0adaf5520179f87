/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { AmqplibInstrumentation } from '@opentelemetry/instrumentation-amqplib';
import { applyInstrumentation, eventually, startTracing, traceText } from '@otel-messaging/test-utils';
import type { ConsumeMessage } from 'amqplib';
import { AmqpInstrumentation } from '../src';
import { brokerUrl, freshName } from './broker';

test.each([
  ['before', () => [new AmqplibInstrumentation(), new AmqpInstrumentation()]],
  ['after', () => [new AmqpInstrumentation(), new AmqplibInstrumentation()]],
])("with upstream's instrumentation registered %s ours, one message makes one trace of two spans", async (_, make) => {
  jest.resetModules();
  const instrumentations = make();
  for (const instrumentation of instrumentations) applyInstrumentation(instrumentation, require);
  const tracing = startTracing(instrumentations, { contract: false });
  const amqplib = require('amqplib') as typeof import('amqplib');
  const managers = require('amqp-connection-manager') as typeof import('amqp-connection-manager');
  const connection = await amqplib.connect(brokerUrl());
  const manager = managers.connect([brokerUrl()]);
  try {
    const channel = await connection.createChannel();
    const confirms = await connection.createConfirmChannel();
    const queue = freshName('queue');
    await channel.assertQueue(queue, { expires: 60_000 });
    confirms.sendToQueue(queue, Buffer.from('one'));
    await confirms.waitForConfirms();
    channel.sendToQueue(queue, Buffer.from('two'));
    await manager.createChannel().sendToQueue(queue, Buffer.from('three'));
    let seen = 0;
    await channel.consume(queue, async (message) => {
      seen++;
      channel.ack(message as ConsumeMessage);
    });
    await eventually('all messages', () => seen === 3 && tracing.openSpans === 0);
    expect(traceText(tracing.spans(), { rename: (text) => text.replaceAll(queue, 'queue') })).toBe(
      Array(3).fill('publish queue PRODUCER\n└─ consume queue CONSUMER  → publish queue').join('\n'),
    );
  } finally {
    await manager.close();
    await connection.close();
    for (const instrumentation of instrumentations) instrumentation.disable();
    await tracing.stop();
  }
});
