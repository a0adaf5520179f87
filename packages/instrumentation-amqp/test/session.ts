/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { startTracing, type Tracing, type TracingOptions, traceText } from '@otel-messaging/test-utils';
import type { Channel, ChannelModel, ConfirmChannel, ConsumeMessage, Options } from 'amqplib';
import { amqplib, instrumentation } from './amqplib';
import { brokerUrl, freshName } from './broker';

/** One test's connection, channel and queue, with everything that is traced. */
export interface Session {
  readonly tracing: Tracing;
  readonly connection: ChannelModel;
  readonly channel: Channel;
  readonly confirms: ConfirmChannel;
  /** Empty, with a name of its own. */
  readonly queue: string;
  /** All traces so far as text, the queue called `queue`. */
  traces(attributes?: readonly string[]): string;
  /** Publishes inside a span of the application's, and waits until the broker has it. */
  publish(body: string, options?: Options.Publish): Promise<void>;
}

export async function session(code: (session: Session) => Promise<void>, options?: TracingOptions): Promise<void> {
  const tracing = startTracing([instrumentation], options);
  const connection = await amqplib.connect(brokerUrl());
  connection.on('error', () => {});
  try {
    const queue = freshName('queue');
    const [channel, confirms] = [await connection.createChannel(), await connection.createConfirmChannel()];
    for (const each of [channel, confirms]) each.on('error', () => {});
    await confirms.assertQueue(queue, { expires: 60_000 });
    await code({
      tracing,
      connection,
      channel,
      confirms,
      queue,
      traces: (attributes) =>
        traceText(tracing.spans(), { attributes, rename: (text) => text.replaceAll(queue, 'queue') }),
      publish: async (body, publishOptions) => {
        confirms.sendToQueue(queue, Buffer.from(body), publishOptions);
        await confirms.waitForConfirms();
      },
    });
  } finally {
    instrumentation.enable();
    instrumentation.setConfig({});
    await connection.close().catch(() => {});
    await tracing.stop();
  }
}

/** Consumes until the code says that it is done; gives what it was done with. */
export async function consuming<T>(
  channel: Channel,
  queue: string,
  handler: (message: ConsumeMessage, done: (value: T) => void) => unknown,
  options?: Options.Consume,
): Promise<T> {
  let done: (value: T) => void = () => {};
  const result = new Promise<T>((resolve) => {
    done = resolve;
  });
  await channel.consume(queue, (message) => message && handler(message, done), options);
  return result;
}

export function ticks(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
