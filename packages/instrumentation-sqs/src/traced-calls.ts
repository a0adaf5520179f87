/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { ActiveOperation, Delivery, Outcome, Telemetry } from '@otel-messaging/messaging-common';
import { commandWith, copyWith } from './copies';
import { forget, receivedBy, remember } from './deliveries';
import type { IncomingMessage } from './incoming-message';
import { attributesSize, type MessageAttributes, textSize } from './message-attributes';
import { entryOutcomes, messageId, requestAttributes, requestIdOf } from './operations';
import type { OutgoingMessage } from './outgoing-message';
import type { Queue } from './queue';
import { AskedAttributes, type SystemNamesField } from './received-attributes';
import { restoreBatchChecksums, restoreChecksums } from './sent-checksums';

/** A command of the application, as far as it concerns us. */
export interface Command {
  readonly input: object;
}

/** A call of the client that is traced: what to send in place of the application's command, and what to do after. */
export interface TracedCall {
  readonly command: Command;
  readonly operation: ActiveOperation | undefined;
  succeeded(output: unknown): void;
  failed(error: unknown): void;
}

/** Makes traced calls of commands; each method gives undefined for what is better left to the client as it is. */
export class TracedCalls {
  constructor(
    private readonly telemetry: Telemetry,
    private readonly systemField: SystemNamesField,
  ) {}

  sendMessage(queue: Queue, command: Command): TracedCall | undefined {
    const input: OutgoingMessage = command.input;
    const operation = this.telemetry.startSend(queue.plan('send'), input, queue.writer);
    if (operation === undefined) return undefined;
    return this.call(operation, command, operation.message, (output) => {
      restoreChecksums(output, input, operation.message);
      return { attributes: messageId((output as { MessageId?: unknown }).MessageId) };
    });
  }

  sendMessageBatch(queue: Queue, command: Command): TracedCall | undefined {
    const entries = entriesOf<OutgoingMessage>(command);
    if (entries === undefined) return undefined;
    const bytes = entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
    const operation = this.telemetry.startBatchSend(queue.plan('sendBatch'), entries, queue.batchWriter(bytes), () =>
      queue.plan('create'),
    );
    if (operation === undefined) return undefined;
    const isSame = operation.messages.every((message, i) => message === entries[i]);
    const input = isSame ? command.input : copyWith(command.input, { Entries: operation.messages });
    return this.call(operation, command, input, (output) => {
      if (!isSame) restoreBatchChecksums(output, entries, operation.messages);
      return { messages: entryOutcomes(entries, output) };
    });
  }

  receiveMessage(queue: Queue, command: Command): TracedCall | undefined {
    const asked = new AskedAttributes(command.input, this.systemField);
    const input = asked.extended();
    const operation = this.telemetry.startReceive(queue.plan('receive'));
    if (operation === undefined) return undefined;
    return {
      ...this.call(operation, command, input, () => ({})),
      succeeded: (output) => {
        const messages = (output as { Messages?: unknown } | undefined)?.Messages;
        const attributes = this.requestAttributes(output);
        if (!Array.isArray(messages) || messages.length === 0) return operation.end({ attributes });
        const deliveries = operation.endWithMessages<IncomingMessage>(
          messages,
          queue.reader,
          queue.plan('process'),
          attributes,
        );
        const requestId = requestIdOf(output);
        // By index, since walking the array would begin the handling of its messages.
        for (let i = 0; i < deliveries.length; i++) {
          const message = messages[i] as IncomingMessage;
          const delivery = deliveries[i] as Delivery;
          remember(message, { delivery, messageId: message.MessageId, system: message.Attributes, requestId });
          asked.hide(message);
        }
      },
    };
  }

  deleteMessage(queue: Queue, command: Command): TracedCall | undefined {
    const { ReceiptHandle: handle } = command.input as { ReceiptHandle?: unknown };
    const received = receivedBy(handle);
    const operation = this.telemetry.startSettle(queue.plan('delete'), {
      creations: [received?.delivery.creation],
      message: received && { MessageId: received.messageId },
      reader: queue.reader,
    });
    return this.settling(operation, command, () => ({}), [handle]);
  }

  deleteMessageBatch(queue: Queue, command: Command): TracedCall | undefined {
    const entries = entriesOf<{ readonly ReceiptHandle?: unknown }>(command);
    if (entries === undefined) return undefined;
    const handles = entries.map(({ ReceiptHandle }) => ReceiptHandle);
    const operation = this.telemetry.startSettle(queue.plan('deleteBatch'), {
      count: entries.length,
      creations: handles.map((handle) => receivedBy(handle)?.delivery.creation),
    });
    return this.settling(operation, command, (output) => ({ messages: entryOutcomes(entries, output) }), handles);
  }

  /** A call whose messages are settled if it succeeds, whether or not it has a span. */
  private settling(
    operation: ActiveOperation | undefined,
    command: Command,
    outcomeOf: (output: unknown) => Outcome,
    handles: readonly unknown[],
  ): TracedCall {
    const call = this.call(operation, command, command.input, outcomeOf);
    return {
      ...call,
      succeeded: (output) => {
        const { messages } = outcomeOf(output);
        call.succeeded(output);
        for (const [i, handle] of handles.entries()) {
          if (messages?.[i]?.error !== undefined) continue;
          receivedBy(handle)?.delivery.settle('delete');
          forget(handle);
        }
      },
    };
  }

  private call(
    operation: ActiveOperation | undefined,
    command: Command,
    input: object,
    outcomeOf: (output: unknown) => Outcome,
  ): TracedCall {
    return {
      operation,
      command: input === command.input ? command : commandWith(command, input),
      succeeded: (output) => {
        const { attributes, messages } = outcomeOf(output);
        operation?.end({ attributes: { ...attributes, ...this.requestAttributes(output) }, messages });
      },
      failed: (error) => operation?.end({ error: error ?? new Error(), attributes: this.requestAttributes(error) }),
    };
  }

  private requestAttributes(answer: unknown) {
    return requestAttributes(answer, this.telemetry.config.semconv === 'dup');
  }
}

/** The entries of a batch, if all of them are objects; what else there may be is the client's to refuse. */
function entriesOf<E extends object>({ input }: Command): readonly E[] | undefined {
  const { Entries } = input as { readonly Entries?: unknown };
  if (!Array.isArray(Entries) || !Entries.every((entry) => typeof entry === 'object' && entry !== null)) {
    return undefined;
  }
  return Entries;
}

function sizeOf({ MessageBody, MessageAttributes: attributes }: OutgoingMessage): number {
  return textSize(MessageBody) + attributesSize((attributes ?? {}) as MessageAttributes);
}
