/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { BatchSendOperation, SendOperation, Telemetry } from '@otel-messaging/messaging-common';
import { carriedEntries } from './carried-entries';
import type { Carry } from './carrying';
import { copyOf } from './copies';
import { entryOutcomes, messageId } from './operations';
import type { OutgoingMessage } from './outgoing-message';
import type { Queue } from './queue';
import { withOwnBatchChecksums, withOwnChecksums } from './sent-checksums';
import { type Command, entriesOf, TracedCall } from './traced-call';

/** `SendMessage`; undefined where nothing is to be recorded. */
export function sendMessage(telemetry: Telemetry, queue: Queue, { input }: Command): TracedCall | undefined {
  const operation = telemetry.startSend<OutgoingMessage>(queue.plan('send'), input, queue.asking);
  return operation && new SendCall(telemetry, operation, queue);
}

/** `SendMessageBatch`; undefined also for what is no list of entries. */
export function sendMessageBatch(telemetry: Telemetry, queue: Queue, { input }: Command): TracedCall | undefined {
  const entries = entriesOf<OutgoingMessage>(input);
  if (entries === undefined) return undefined;
  const operation = telemetry.startBatchSend(queue.plan('sendBatch'), entries, queue.batchAsking(entries), () =>
    queue.plan('create'),
  );
  return operation && new BatchSendCall(telemetry, operation, queue, entries);
}

class SendCall extends TracedCall<SendOperation<OutgoingMessage>> {
  constructor(
    telemetry: Telemetry,
    operation: SendOperation<OutgoingMessage>,
    private readonly queue: Queue,
  ) {
    super(telemetry, operation);
  }

  override get carry(): Carry {
    return (own: OutgoingMessage) => {
      const input = this.operation?.carriedBy(own, this.queue.writer) ?? own;
      return input === own ? { input } : { input, restored: (output) => withOwnChecksums(output, own) };
    };
  }

  protected finish(output: object): unknown {
    this.operation?.end({ attributes: Object.assign(this.requestAttributes(output), messageId(output)) });
    return output;
  }
}

class BatchSendCall extends TracedCall<BatchSendOperation<OutgoingMessage>> {
  constructor(
    telemetry: Telemetry,
    operation: BatchSendOperation<OutgoingMessage>,
    private readonly queue: Queue,
    private readonly entries: readonly OutgoingMessage[],
  ) {
    super(telemetry, operation);
  }

  override get carry(): Carry {
    return (input) => {
      const { operation, entries, queue } = this;
      const own = entriesOf<OutgoingMessage>(input);
      if (own === undefined || operation === undefined) return { input };
      const sent = carriedEntries(operation, entries, own, queue.batchWriter(own));
      if (sent === own) return { input };
      const restored = (output: object) => withOwnBatchChecksums(output, own);
      return { input: Object.assign(copyOf(input), { Entries: sent }), restored };
    };
  }

  protected finish(output: object): unknown {
    this.end(output, entryOutcomes(this.entries, output));
    return output;
  }
}
