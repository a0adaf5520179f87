/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { BatchSendOperation, SendOperation, Telemetry } from '@otel-messaging/messaging-common';
import { copyOf } from './copies';
import { entryOutcomes, messageId } from './operations';
import type { OutgoingMessage } from './outgoing-message';
import type { Topic } from './sns-topic';
import { type Command, entriesOf, TracedCall } from './traced-call';

/** `Publish`; undefined where nothing is to be recorded. */
export function publish(telemetry: Telemetry, topic: Topic, { input }: Command): TracedCall | undefined {
  const operation = telemetry.startSend<OutgoingMessage>(topic.plan('publish'), input, topic.writer);
  return operation && new (topic.isDirect ? DirectPublishCall : PublishCall)(telemetry, operation);
}

/** `PublishBatch`; undefined also for what is no list of entries. */
export function publishBatch(telemetry: Telemetry, topic: Topic, { input }: Command): TracedCall | undefined {
  const entries = entriesOf<OutgoingMessage>(input, 'PublishBatchRequestEntries');
  if (entries === undefined) return undefined;
  const operation = telemetry.startBatchSend(topic.plan('publishBatch'), entries, topic.batchWriter(entries), () =>
    topic.plan('create'),
  );
  return operation && new PublishBatchCall(telemetry, operation, input, entries);
}

class PublishCall extends TracedCall<SendOperation<OutgoingMessage>> {
  readonly input: object;

  constructor(telemetry: Telemetry, operation: SendOperation<OutgoingMessage>) {
    super(telemetry, operation);
    this.input = operation.message;
  }

  protected finish(output: object): unknown {
    this.operation?.end({ attributes: Object.assign(this.requestAttributes(output), messageId(output)) });
    return output;
  }
}

/** The service's errors repeat the phone number that it was given; of those only the type is recorded. */
class DirectPublishCall extends PublishCall {
  override failed(error: unknown): void {
    const { name, Code, $metadata } = (error ?? {}) as { name?: unknown; Code?: unknown; $metadata?: unknown };
    super.failed({ name, Code, $metadata });
  }
}

class PublishBatchCall extends TracedCall<BatchSendOperation<OutgoingMessage>> {
  readonly input: object;

  constructor(
    telemetry: Telemetry,
    operation: BatchSendOperation<OutgoingMessage>,
    own: object,
    private readonly entries: readonly OutgoingMessage[],
  ) {
    super(telemetry, operation);
    const isSame = operation.messages.every((message, i) => message === entries[i]);
    this.input = isSame ? own : Object.assign(copyOf(own), { PublishBatchRequestEntries: operation.messages });
  }

  protected finish(output: object): unknown {
    this.end(output, entryOutcomes(this.entries, output));
    return output;
  }
}
