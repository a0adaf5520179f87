/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Rig, RigClient } from '../../src/conformance';
import { MemoryInstrumentation } from './memory-instrumentation';
import { MAX_HEADERS, type MemoryMessage, MemoryQueue } from './memory-queue';

const { send, sendBatch, handle } = MemoryQueue.prototype;

let last: MemoryInstrumentation | undefined;

/** The in-memory client under test; `alter` breaks it in one way or another. */
export function memoryRig(alter: (client: RigClient, instrumentation: MemoryInstrumentation) => void = () => {}): Rig {
  // A second one would stand down. Not by its own method, which a test may have broken.
  if (last !== undefined) MemoryInstrumentation.prototype.disable.call(last);
  const instrumentation = new MemoryInstrumentation();
  last = instrumentation;
  const holder = MemoryQueue.prototype;
  return {
    name: 'memory',
    instrumentation,
    doors: [
      { holder, name: 'send', original: send },
      { holder, name: 'sendBatch', original: sendBatch },
      { holder, name: 'handle', original: handle },
    ],
    connect: async () => {
      const queue = new MemoryQueue('orders');
      const client: RigClient<MemoryMessage | readonly MemoryMessage[], MemoryMessage> = {
        input: ({ body, headers }) => ({ body, headers }),
        send: (input) => queue.send(input as MemoryMessage),
        batchInput: (messages) => messages,
        sendBatch: (input) => queue.sendBatch(input as readonly MemoryMessage[]),
        flush: async () => {},
        consume: (count, handler) => queue.handle(count, handler),
        body: ({ body }) => body,
        headers: ({ headers }) => headers ?? {},
        forward: ({ body, headers }) => ({ body, headers }),
        malformed: {
          'no message': () => queue.send(null as unknown as MemoryMessage),
          'a message without a body': () => queue.send({} as MemoryMessage),
        },
        full: () => ({
          body: 'full',
          headers: Object.fromEntries(Array.from({ length: MAX_HEADERS }, (_, i) => [`own-${i}`, 'x'])),
        }),
        close: async () => {},
      };
      alter(client, instrumentation);
      return client;
    },
  };
}
