/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Telemetry } from '@otel-messaging/messaging-common';
import { entryOutcomes } from './operations';
import type { Queue } from './queue';
import { receivedBy } from './received';
import { type Command, entriesOf, TracedCall } from './traced-call';

interface Receipt {
  readonly ReceiptHandle?: unknown;
}

/**
 * `ChangeMessageVisibility`: the message is to come again, now or later. A handler that asks for more time says the same;
 * if it then deletes its message, that counts.
 */
export function changeVisibility(telemetry: Telemetry, _: Queue, { input }: Command): TracedCall {
  return new VisibilityCall(telemetry, input);
}

/** `ChangeMessageVisibilityBatch`; undefined for what is no list of entries. */
export function changeVisibilityBatch(telemetry: Telemetry, _: Queue, { input }: Command): TracedCall | undefined {
  const entries = entriesOf<Receipt>(input);
  return entries && new BatchVisibilityCall(telemetry, input, entries);
}

/** No operation of the conventions, and without a span: its result is seen on the handling of the messages. */
class VisibilityCall extends TracedCall {
  constructor(
    telemetry: Telemetry,
    readonly input: object,
  ) {
    super(telemetry, undefined);
  }

  override get hasOwnSpan(): boolean {
    return false;
  }

  protected finish(output: object): unknown {
    retry(this.input);
    return output;
  }
}

class BatchVisibilityCall extends VisibilityCall {
  constructor(
    telemetry: Telemetry,
    input: object,
    private readonly entries: readonly Receipt[],
  ) {
    super(telemetry, input);
  }

  protected override finish(output: object): unknown {
    const outcomes = entryOutcomes(this.entries, output);
    for (const [i, entry] of this.entries.entries()) if (outcomes[i]?.error === undefined) retry(entry);
    return output;
  }
}

function retry({ ReceiptHandle: handle }: Receipt): void {
  receivedBy(handle)?.delivery?.retry();
}
