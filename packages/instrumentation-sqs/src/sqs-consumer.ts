/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  type ActiveOperation,
  deliveryOf,
  type Patches,
  type Telemetry,
  unfollow,
} from '@otel-messaging/messaging-common';
import type { IncomingMessage } from './incoming-message';
import type { Queue } from './queue';
import { batchPlanOf, concludeAfter, deliveriesOf, endsWith, plainCopy, takeOverFrom } from './sqs-consumer-results';

/** What is read of a consumer; private there, by the same names since version 6. */
interface Consumer {
  readonly queueUrl?: string;
}

/** What it gets from the client. */
interface Response {
  readonly Messages?: IncomingMessage[];
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
  /** What to show to the handler of a batch, in place of the array that the consumer keeps. */
  const walked = new WeakMap<object, IncomingMessage[]>();
  /** Before the first message nothing is looked for. */
  let hasBegun = false;

  // Without an SDK a message costs less than 150 ns here. A call with a list of arguments, though empty, is 15 of them.
  return [
    patches.add(prototype, 'handleSqsResponse', (original) => {
      return function handleSqsResponse(this: Consumer, response: Response, ...rest: unknown[]) {
        // The consumer walks the array to hand each message to one of the methods below, or to tell its listeners.
        if (Array.isArray(response?.Messages)) unfollow(response.Messages);
        return rest.length === 0 ? original.call(this, response) : original.call(this, response, ...rest);
      };
    }),
    patches.add(prototype, 'processMessage', (original) => {
      return function processMessage(this: Consumer, message: IncomingMessage, ...rest: unknown[]) {
        const operation = telemetry.isOn() ? begin(this, message) : undefined;
        if (operation === undefined) {
          return rest.length === 0 ? original.call(this, message) : original.call(this, message, ...rest);
        }
        hasBegun = true;
        return concludeAfter(operation, () => operation.run(original, this, message, ...rest));
      };
    }),
    patches.add(prototype, 'executeHandler', (original) => {
      return function executeHandler(this: Consumer, message: IncomingMessage, ...rest: unknown[]) {
        const operation = hasBegun ? (deliveryOf(message)?.current ?? open.get(message)) : undefined;
        const result = rest.length === 0 ? original.call(this, message) : original.call(this, message, ...rest);
        return operation ? endsWith(operation, result) : result;
      };
    }),
    patches.add(prototype, 'processMessageBatch', (original) => {
      return function processMessageBatch(this: Consumer, messages: IncomingMessage[], ...rest: unknown[]) {
        if (!telemetry.isOn()) return original.call(this, messages, ...rest);
        const shown = [...messages];
        const operation = beginBatch(this, shown);
        if (operation === undefined) return original.call(this, messages, ...rest);
        open.set(messages, operation);
        walked.set(messages, shown);
        return concludeAfter(operation, () => operation.run(original, this, messages, ...rest));
      };
    }),
    patches.add(prototype, 'executeBatchHandler', (original) => {
      return function executeBatchHandler(this: Consumer, messages: IncomingMessage[], ...rest: unknown[]) {
        const operation = open.get(messages);
        if (operation === undefined) return original.call(this, messages, ...rest);
        const shown = walked.get(messages) as IncomingMessage[];
        const takeOver = () => telemetry.guard('take over a batch', undefined, () => takeOverFrom(shown, messages));
        const result = original.call(this, shown, ...rest);
        return endsWith(operation, result).then(
          (handled: unknown) => {
            takeOver();
            return plainCopy(handled); // it is walked once more, to delete the messages
          },
          (error: unknown) => {
            takeOver();
            throw error;
          },
        );
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
