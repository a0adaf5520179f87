/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { BoundedMap, type OperationPlan, type Telemetry } from '@otel-messaging/messaging-common';
import type { SqsOptions } from './config';
import { IncomingReader } from './incoming-message';
import { BatchSize } from './message-size';
import { operationFacts, type QueueFacts, type QueueOperation, queueName } from './operations';
import { type OutgoingMessage, OutgoingWriter } from './outgoing-message';
import type { SystemNamesField } from './received-attributes';

/** A queue as one client sees it: its plans, made on first use, and how its messages are read and written. */
export class Queue {
  readonly writer: OutgoingWriter;
  readonly reader: IncomingReader;
  private readonly messageOptions: SqsOptions & { readonly captureBodySize: boolean };
  private readonly plans: Partial<Record<QueueOperation, OperationPlan>> = {};

  constructor(
    private readonly telemetry: Telemetry,
    private readonly options: SqsOptions,
    private readonly facts: QueueFacts,
    readonly systemNamesField: SystemNamesField = 'MessageSystemAttributeNames',
  ) {
    this.messageOptions = { ...options, captureBodySize: telemetry.config.captureBodySize };
    this.writer = new OutgoingWriter(this.messageOptions, this.refused);
    this.reader = new IncomingReader(this.messageOptions);
  }

  plan(operation: QueueOperation): OperationPlan {
    const known = this.plans[operation];
    if (known !== undefined) return known;
    const plan = this.telemetry.plan(operationFacts(operation, this.facts, this.options));
    this.plans[operation] = plan;
    return plan;
  }

  /** A writer for the entries of one batch, which share a limit of bytes. */
  batchWriter(entries: readonly OutgoingMessage[]): OutgoingWriter {
    return new OutgoingWriter(this.messageOptions, this.refused, new BatchSize(entries));
  }

  private readonly refused = (): void => {
    const name = queueName(this.facts.url) ?? '';
    if (warned.get(name)) return;
    warned.add(name, true);
    this.telemetry.diag.warn(
      `no room for a context in a message to ${name}: it has ten attributes or is as large as it may be, and has no place ` +
        'for AWSTraceHeader. Its consumer starts a new trace. Said once per queue.',
    );
  };
}

/** Queues that a message without room was sent to. */
const warned = new BoundedMap<string, boolean>(1000);
