/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { MessageReader, SettleOperation, Telemetry } from '@otel-messaging/messaging-common';
import { entryOutcomes } from './operations';
import type { Queue } from './queue';
import { forgetReceipt, receivedBy } from './received';
import { type Command, entriesOf, TracedCall } from './traced-call';

interface Receipt {
  readonly ReceiptHandle?: unknown;
}

/** `DeleteMessage`. */
export function deleteMessage(telemetry: Telemetry, queue: Queue, { input }: Command): TracedCall {
  const received = receivedBy((input as Receipt).ReceiptHandle);
  const operation = telemetry.startSettle(queue.plan('delete'), {
    creations: [received?.delivery?.creation],
    home: received?.delivery?.home,
    message: received && { MessageId: received.messageId },
    reader: RECEIPT_READER,
  });
  return new DeleteCall(telemetry, operation, input);
}

/** `DeleteMessageBatch`; undefined for what is no list of entries. */
export function deleteMessageBatch(telemetry: Telemetry, queue: Queue, { input }: Command): TracedCall | undefined {
  const entries = entriesOf<Receipt>(input);
  if (entries === undefined) return undefined;
  const deliveries = entries.map(({ ReceiptHandle }) => receivedBy(ReceiptHandle)?.delivery);
  const operation = telemetry.startSettle(queue.plan('deleteBatch'), {
    count: entries.length,
    creations: deliveries.map((delivery) => delivery?.creation),
    home: deliveries.length === 1 ? deliveries[0]?.home : undefined,
  });
  return new BatchDeleteCall(telemetry, operation, input, entries);
}

/** Of what a receipt says of its message. */
const RECEIPT_READER: MessageReader<{ readonly MessageId?: string }> = {
  get: () => undefined,
  keys: () => [],
  describe: ({ MessageId }) => ({ id: MessageId }),
};

class DeleteCall extends TracedCall<SettleOperation> {
  constructor(
    telemetry: Telemetry,
    operation: SettleOperation | undefined,
    readonly input: object,
  ) {
    super(telemetry, operation);
  }

  protected finish(output: object): unknown {
    this.end(output);
    settle(this.input);
    return output;
  }
}

class BatchDeleteCall extends DeleteCall {
  constructor(
    telemetry: Telemetry,
    operation: SettleOperation | undefined,
    input: object,
    private readonly entries: readonly Receipt[],
  ) {
    super(telemetry, operation, input);
  }

  protected override finish(output: object): unknown {
    const outcomes = entryOutcomes(this.entries, output);
    this.end(output, outcomes);
    for (const [i, entry] of this.entries.entries()) {
      if (outcomes[i]?.error === undefined) settle(entry);
    }
    return output;
  }
}

/** The message's handling, if it is not over, tells that it was deleted. */
function settle({ ReceiptHandle: handle }: Receipt): void {
  receivedBy(handle)?.delivery?.settle('delete');
  forgetReceipt(handle);
}
