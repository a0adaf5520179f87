/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type ActiveOperation, deliveryOf, type Patches, type Telemetry } from '@otel-messaging/messaging-common';
import type { IncomingMessage } from './incoming-message';
import type { Queue } from './queue';
import { batchPlanOf, deliveriesOf, endsWith, plainCopy, thenLetGo } from './sqs-consumer-results';

/** What is read of a consumer; private there, by the same names since version 6. */
interface Consumer {
  readonly queueUrl?: string;
}

/** Versions whose consumer is built on `@aws-sdk/client-sqs`, up to the newest that was tried. */
export const CONSUMER_VERSIONS = ['>=6 <16'];

/**
 * Traces what a consumer does with the messages of a poll; the poll and the deletion are the client's own calls. The span
 * of a message, or of a batch, ends with the handler, and is exported once the deletion is over, which it tells.
 * False if a method is missing.
 */
export function patchConsumer(
  prototype: object,
  patches: Patches,
  telemetry: Telemetry,
  queueAt: (url: string | undefined) => Queue,
): boolean {
  /** By what is handed to the handler: messages that no instrumented client received, and arrays. */
  const open = new WeakMap<object, ActiveOperation>();
  /** What to show to the handler of a batch, in place of the copy that the consumer keeps. */
  const walked = new WeakMap<object, IncomingMessage[]>();

  return [
    patches.add(prototype, 'processMessage', (original) => {
      return function processMessage(this: Consumer, message: IncomingMessage, ...rest: unknown[]) {
        if (!telemetry.isOn()) return original.call(this, message, ...rest);
        // Begun already where the consumer maps the array that the client gave it.
        const current = deliveryOf(message)?.current;
        const operation = current ?? begin(this, message);
        if (operation === undefined) return original.call(this, message, ...rest);
        operation.hold();
        const result =
          operation === current
            ? original.call(this, message, ...rest)
            : operation.handleBody(false, original, this, [message, ...rest]);
        return thenLetGo(operation, result);
      };
    }),
    patches.add(prototype, 'executeHandler', (original) => {
      return function executeHandler(this: Consumer, message: IncomingMessage, ...rest: unknown[]) {
        const result = original.call(this, message, ...rest);
        const operation = telemetry.isOn() && (deliveryOf(message)?.current ?? open.get(message));
        return operation ? endsWith(operation, result) : result;
      };
    }),
    patches.add(prototype, 'processMessageBatch', (original) => {
      return function processMessageBatch(this: Consumer, messages: IncomingMessage[], ...rest: unknown[]) {
        const operation = telemetry.isOn() ? beginBatch(this, messages) : undefined;
        if (operation === undefined) return original.call(this, messages, ...rest);
        // The consumer walks the array to tell its listeners of each message, which is no handling.
        const own = plainCopy(messages);
        open.set(own, operation);
        walked.set(own, messages);
        operation.hold();
        return thenLetGo(operation, operation.run(original, this, own, ...rest));
      };
    }),
    patches.add(prototype, 'executeBatchHandler', (original) => {
      return function executeBatchHandler(this: Consumer, messages: IncomingMessage[], ...rest: unknown[]) {
        const operation = open.get(messages);
        if (operation === undefined) return original.call(this, messages, ...rest);
        const result = original.call(this, walked.get(messages), ...rest);
        // What it gives back is walked once more, to delete the messages.
        return endsWith(operation, result).then((handled: unknown) => plainCopy(handled));
      };
    }),
  ].every((isPatched) => isPatched);

  function begin(consumer: Consumer, message: IncomingMessage) {
    try {
      const delivery = deliveryOf(message);
      if (delivery !== undefined) return delivery.begin(message);
      const queue = queueAt(consumer.queueUrl);
      const operation = telemetry.startProcess<IncomingMessage>(queue.plan('process'), message, queue.reader);
      if (operation !== undefined) open.set(message, operation);
      return operation;
    } catch (error) {
      telemetry.report('begin the handling of a message', error);
      return undefined;
    }
  }

  function beginBatch(consumer: Consumer, messages: IncomingMessage[]) {
    try {
      const deliveries = deliveriesOf(messages);
      const batch = deliveries?.[0]?.batch;
      const queue = batch === undefined ? queueAt(consumer.queueUrl) : undefined;
      const plan = queue?.plan('processBatch') ?? batchPlanOf(telemetry, batch!.plan);
      const { reader, plan: messagePlan } = batch ?? { reader: queue!.reader, plan: queue!.plan('process') };
      return telemetry.startBatchProcess(plan, messages, reader, messagePlan, { deliveries, holdsMessages: true });
    } catch (error) {
      telemetry.report('begin the handling of a batch', error);
      return undefined;
    }
  }
}
