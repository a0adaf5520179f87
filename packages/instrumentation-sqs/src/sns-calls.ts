/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { BatchSendOperation, MessageOutcome, SendOperation, Telemetry } from '@otel-messaging/messaging-common';
import { carriedEntries } from './carried-entries';
import type { Carry } from './carrying';
import { copyOf } from './copies';
import { entryOutcomes, messageId } from './operations';
import type { OutgoingMessage } from './outgoing-message';
import type { Topic } from './sns-topic';
import { type Command, entriesOf, TracedCall } from './traced-call';

/** `Publish`; undefined where nothing is to be recorded. */
export function publish(telemetry: Telemetry, topic: Topic, { input }: Command): TracedCall | undefined {
  const operation = telemetry.startSend<OutgoingMessage>(topic.plan('publish'), input, topic.asking);
  return operation && new (topic.isDirect ? DirectPublishCall : PublishCall)(telemetry, operation, topic);
}

const ENTRIES = 'PublishBatchRequestEntries';

/** `PublishBatch`; undefined also for what is no list of entries. */
export function publishBatch(telemetry: Telemetry, topic: Topic, { input }: Command): TracedCall | undefined {
  const entries = entriesOf<OutgoingMessage>(input, ENTRIES);
  if (entries === undefined) return undefined;
  const operation = telemetry.startBatchSend(topic.plan('publishBatch'), entries, topic.batchAsking(entries), () =>
    topic.plan('create'),
  );
  return (
    operation && new (topic.isDirect ? DirectPublishBatchCall : PublishBatchCall)(telemetry, operation, topic, entries)
  );
}

class PublishCall extends TracedCall<SendOperation<OutgoingMessage>> {
  constructor(
    telemetry: Telemetry,
    operation: SendOperation<OutgoingMessage>,
    private readonly topic: Topic,
  ) {
    super(telemetry, operation);
  }

  override get carry(): Carry {
    return (input) => ({ input: this.operation?.carriedBy(input, this.topic.writer) ?? input });
  }

  protected finish(output: object): unknown {
    this.operation?.end({ attributes: Object.assign(this.requestAttributes(output), messageId(output)) });
    return output;
  }
}

class DirectPublishCall extends PublishCall {
  override failed(error: unknown): void {
    super.failed(discreet(error));
  }
}

class PublishBatchCall extends TracedCall<BatchSendOperation<OutgoingMessage>> {
  constructor(
    telemetry: Telemetry,
    operation: BatchSendOperation<OutgoingMessage>,
    private readonly topic: Topic,
    private readonly entries: readonly OutgoingMessage[],
  ) {
    super(telemetry, operation);
  }

  override get carry(): Carry {
    return (input) => {
      const { operation, entries, topic } = this;
      const own = entriesOf<OutgoingMessage>(input, ENTRIES);
      if (own === undefined || operation === undefined) return { input };
      const sent = carriedEntries(operation, entries, own, topic.batchWriter(own));
      return { input: sent === own ? input : Object.assign(copyOf(input), { [ENTRIES]: sent }) };
    };
  }

  protected finish(output: object): unknown {
    this.end(output, entryOutcomes(this.entries, output));
    return output;
  }
}

/** For mobile endpoints: the service refuses them here, but it is told which. */
class DirectPublishBatchCall extends PublishBatchCall {
  override failed(error: unknown): void {
    super.failed(discreet(error));
  }

  protected override end(output: object, messages: readonly MessageOutcome[]): void {
    super.end(
      output,
      messages.map((outcome) => (outcome.error === undefined ? outcome : { error: discreet(outcome.error) })),
    );
  }
}

/** The service's errors repeat the phone number, or the endpoint, that it was given; of those only the type is recorded. */
function discreet(error: unknown): object {
  const { name, Code, $metadata } = (error ?? {}) as { name?: unknown; Code?: unknown; $metadata?: unknown };
  return { name, Code, $metadata };
}
