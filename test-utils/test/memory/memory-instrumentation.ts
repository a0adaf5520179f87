/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  type MessageWriter,
  MessagingInstrumentation,
  type MessagingInstrumentationConfig,
  type OperationFacts,
} from '@otel-messaging/messaging-common';
import { MAX_HEADERS, type MemoryMessage, MemoryQueue } from './memory-queue';

/** A whole client package in one file; CONTRIBUTING.md walks through it. */
export class MemoryInstrumentation extends MessagingInstrumentation {
  constructor(config: MessagingInstrumentationConfig = {}) {
    super('@otel-messaging/instrumentation-memory', '0.1.0', config);
  }

  protected override init(): [] {
    return []; // a published client has module definitions here; this one has no module to wait for
  }

  protected override settlesByRequest(): boolean {
    return false;
  }

  override enable(): void {
    super.enable();
    const { telemetry } = this;
    const plan = (type: OperationFacts['type'], queue: MemoryQueue, isBatch = false) =>
      telemetry.plan({ type, name: type, system: 'memory', destination: { name: queue.name }, isBatch });

    this.patches.add(MemoryQueue.prototype, 'send', (original: MemoryQueue['send']) => {
      return function send(this: MemoryQueue, message: MemoryMessage) {
        const operation =
          telemetry.isOn() && isMessage(message) && telemetry.startSend(plan('send', this), message, format);
        if (!operation) return original.call(this, message);
        return operation.trace(original, undefined, this, operation.message);
      };
    });
    this.patches.add(MemoryQueue.prototype, 'sendBatch', (original: MemoryQueue['sendBatch']) => {
      return function sendBatch(this: MemoryQueue, messages: readonly MemoryMessage[]) {
        const isUsual = telemetry.isOn() && Array.isArray(messages) && messages.every(isMessage);
        const operation =
          isUsual && telemetry.startBatchSend(plan('send', this, true), messages, format, () => plan('create', this));
        if (!operation) return original.call(this, messages);
        return operation.trace(original, undefined, this, operation.messages);
      };
    });
    this.patches.add(MemoryQueue.prototype, 'handle', (original: MemoryQueue['handle']) => {
      return function handle(this: MemoryQueue, count: number, handler: (message: MemoryMessage) => unknown) {
        return original.call(this, count, (message) => {
          const operation = telemetry.isOn() && telemetry.startProcess(plan('process', this), message, format);
          if (!operation) return handler(message);
          return operation.handle({ endsAtSettlement: false, dropsPromise: false }, handler, undefined, message);
        });
      };
    });
  }
}

function isMessage(message: unknown): message is MemoryMessage {
  return typeof message === 'object' && message !== null;
}

const format: MessageWriter<MemoryMessage> = {
  get: ({ headers }, field) => headers?.[field],
  keys: ({ headers }) => Object.keys(headers ?? {}),
  describe: () => ({}),
  canCarry: ({ headers }) => Object.keys(headers ?? {}).length < MAX_HEADERS,
  write: (message, { fields, stale }) => {
    const kept = Object.entries(message.headers ?? {}).filter(([name]) => !stale.includes(name));
    return { ...message, headers: { ...Object.fromEntries(kept), ...fields } };
  },
};
