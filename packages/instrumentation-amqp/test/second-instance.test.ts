/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { applyInstrumentation, eventually } from '@otel-messaging/test-utils';
import { AmqpInstrumentation } from '../src';
import { instrumentation } from './amqplib';
import { consuming, session } from './session';

const SENT = 'messaging.client.sent.messages';

test('registered twice, as by a preload and a bootstrap file: one span and one count for each message', async () => {
  const second = new AmqpInstrumentation();
  applyInstrumentation(second, require);
  try {
    await session(async ({ tracing, channel, queue, publish, traces }) => {
      await publish('one');
      await consuming(channel, queue, (message, done) => {
        channel.ack(message);
        done(message);
      });
      await eventually('the spans', () => tracing.openSpans === 0);
      expect(traces()).toBe(['publish queue PRODUCER', '└─ consume queue CONSUMER  → publish queue'].join('\n'));
      const sent = (await tracing.metrics()).find(({ descriptor }) => descriptor.name === SENT);
      expect(sent?.dataPoints.map(({ value }) => value)).toEqual([1]);
    });
  } finally {
    second.disable();
  }
});

test('the second one takes over where the first is off', async () => {
  instrumentation.disable();
  const second = new AmqpInstrumentation();
  applyInstrumentation(second, require);
  try {
    await session(async ({ publish, traces }) => {
      await publish('one');
      expect(traces()).toBe('publish queue PRODUCER');
    });
  } finally {
    second.disable();
    instrumentation.enable();
  }
});
