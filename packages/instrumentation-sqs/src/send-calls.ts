/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { BatchSendOperation, SendOperation, Telemetry } from '@otel-messaging/messaging-common';
import { copyOf } from './copies';
import { entryOutcomes, messageId } from './operations';
import type { OutgoingMessage } from './outgoing-message';
import type { Queue } from './queue';
import { withOwnBatchChecksums, withOwnChecksums } from './sent-checksums';
import { type Command, entriesOf, TracedCall } from './traced-call';

/** `SendMessage`; undefined where nothing is to be recorded. */
export function sendMessage(telemetry: Telemetry, queue: Queue, { input }: Command): TracedCall | undefined {
  const operation = telemetry.startSend<OutgoingMessage>(queue.plan('send'), input, queue.writer);
  return operation && new SendCall(telemetry, operation, input);
}

/** `SendMessageBatch`; undefined also for what is no list of entries. */
export function sendMessageBatch(telemetry: Telemetry, queue: Queue, { input }: Command): TracedCall | undefined {
  const entries = entriesOf<OutgoingMessage>(input);
  if (entries === undefined) return undefined;
  const operation = telemetry.startBatchSend(queue.plan('sendBatch'), entries, queue.batchWriter(entries), () =>
    queue.plan('create'),
  );
  return operation && new BatchSendCall(telemetry, operation, input, entries);
}

class SendCall extends TracedCall<SendOperation<OutgoingMessage>> {
  readonly input: object;

  constructor(
    telemetry: Telemetry,
    operation: SendOperation<OutgoingMessage>,
    private readonly own: OutgoingMessage,
  ) {
    super(telemetry, operation);
    this.input = operation.message;
  }

  protected finish(output: object): unknown {
    this.operation?.end({ attributes: Object.assign(this.requestAttributes(output), messageId(output)) });
    return this.input === this.own ? output : withOwnChecksums(output, this.own);
  }
}

class BatchSendCall extends TracedCall<BatchSendOperation<OutgoingMessage>> {
  readonly input: object;

  constructor(
    telemetry: Telemetry,
    operation: BatchSendOperation<OutgoingMessage>,
    private readonly own: object,
    private readonly entries: readonly OutgoingMessage[],
  ) {
    super(telemetry, operation);
    this.input = operation.messages.every((message, i) => message === entries[i])
      ? own
      : Object.assign(copyOf(own), { Entries: operation.messages });
  }

  protected finish(output: object): unknown {
    this.end(output, entryOutcomes(this.entries, output));
    return this.input === this.own ? output : withOwnBatchChecksums(output, this.entries);
  }
}
