/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { CarrierKind, OperationPlan, Telemetry } from '@otel-messaging/messaging-common';
import type { SqsOptions } from './config';
import { IncomingReader } from './incoming-message';
import { leavings } from './leavings';
import { BatchSize } from './message-size';
import { operationFacts, type QueueFacts, type QueueOperation } from './operations';
import { type OutgoingMessage, OutgoingWriter } from './outgoing-message';
import { queueName } from './queue-url';
import type { SystemNamesField } from './received-attributes';
import { type Fields, rememberedFields } from './written-fields';

/** A queue as one client sees it: its plans, made on first use, and how its messages are read and written. */
export class Queue {
  /** Of messages as they are sent. */
  readonly writer: OutgoingWriter;
  /** Of messages that are about to be: what it writes is not told. */
  readonly asking: OutgoingWriter;
  readonly reader: IncomingReader;
  private readonly written: () => Fields;
  private readonly left: (carrier: CarrierKind) => void;
  private readonly messageOptions: SqsOptions & { readonly captureBodySize: boolean };
  private readonly plans: Partial<Record<QueueOperation, OperationPlan>> = {};

  constructor(
    private readonly telemetry: Telemetry,
    private readonly options: SqsOptions,
    private readonly facts: QueueFacts,
    readonly systemNamesField: SystemNamesField = 'MessageSystemAttributeNames',
  ) {
    this.messageOptions = { ...options, captureBodySize: telemetry.config.captureBodySize };
    this.written = rememberedFields(telemetry);
    this.left = leavings(telemetry, () => this.plan('send'), queueName(facts.url));
    this.writer = new OutgoingWriter(this.messageOptions, this.written, this.left);
    this.asking = new OutgoingWriter(this.messageOptions, this.written);
    this.reader = new IncomingReader(this.messageOptions);
  }

  /** Whether a message that came alone is handled where the application takes it by its index. */
  get followsIndex(): boolean {
    return this.options.followIndex && this.telemetry.config.perMessageSpans;
  }

  plan(operation: QueueOperation): OperationPlan {
    const known = this.plans[operation];
    if (known !== undefined) return known;
    const plan = this.telemetry.plan(operationFacts(operation, this.facts, this.options));
    this.plans[operation] = plan;
    return plan;
  }

  /** The same for the entries of one batch, which share a limit of bytes. */
  batchWriter(entries: readonly OutgoingMessage[]): OutgoingWriter {
    return new OutgoingWriter(this.messageOptions, this.written, this.left, new BatchSize(entries));
  }

  batchAsking(entries: readonly OutgoingMessage[]): OutgoingWriter {
    return new OutgoingWriter(this.messageOptions, this.written, undefined, new BatchSize(entries));
  }
}
