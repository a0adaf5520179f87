/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { CarrierKind, OperationPlan, Telemetry } from '@otel-messaging/messaging-common';
import { SERVICE_LIMITS_BYTES, type SqsOptions } from './config';
import { leavings } from './leavings';
import { BatchSize } from './message-size';
import { type OutgoingMessage, OutgoingWriter, type WriterOptions } from './outgoing-message';
import { PublishWriter } from './sns-header';
import { type TopicFacts, type TopicOperation, topicName, topicOperationFacts } from './sns-operations';
import { type Fields, rememberedFields } from './written-fields';

/** A topic as one client sees it, or all phones and mobile endpoints together: its plans, and how its messages are written. */
export class Topic {
  /** Of messages as they are sent. */
  readonly writer: OutgoingWriter;
  /** Of messages that are about to be: what it writes is not told. */
  readonly asking: OutgoingWriter;
  private readonly writerOptions: WriterOptions;
  private readonly written: () => Fields;
  private readonly left: (carrier: CarrierKind) => void;
  private readonly plans: Partial<Record<TopicOperation, OperationPlan>> = {};

  constructor(
    private readonly telemetry: Telemetry,
    private readonly options: SqsOptions,
    private readonly facts: TopicFacts,
  ) {
    const maxMessageBytes = Math.min(options.maxMessageBytes, SERVICE_LIMITS_BYTES[0]);
    this.writerOptions = { ...options, maxMessageBytes, captureBodySize: telemetry.config.captureBodySize };
    this.written = rememberedFields(telemetry);
    this.left = leavings(telemetry, () => this.plan('publish'), topicName(facts.arn));
    const Writer = this.isDirect ? DirectWriter : PublishWriter;
    this.writer = new Writer(this.writerOptions, this.written, this.left);
    this.asking = new Writer(this.writerOptions, this.written);
  }

  /** Whether messages go to a person's phone or device, where no consumer reads a context. */
  get isDirect(): boolean {
    return this.facts.arn === undefined;
  }

  plan(operation: TopicOperation): OperationPlan {
    const known = this.plans[operation];
    if (known !== undefined) return known;
    const plan = this.telemetry.plan(topicOperationFacts(operation, this.facts, this.options));
    this.plans[operation] = plan;
    return plan;
  }

  /** The same for the entries of one batch, which share a limit of bytes, and a request with one header for all. */
  batchWriter(entries: readonly OutgoingMessage[]): OutgoingWriter {
    return this.ofBatch(entries, this.left);
  }

  batchAsking(entries: readonly OutgoingMessage[]): OutgoingWriter {
    return this.ofBatch(entries);
  }

  private ofBatch(entries: readonly OutgoingMessage[], left?: (carrier: CarrierKind) => void): OutgoingWriter {
    const options: WriterOptions = { ...this.writerOptions, awsTraceHeader: 'off' };
    const Writer = this.isDirect ? DirectWriter : OutgoingWriter;
    return new Writer(options, this.written, left, new BatchSize(entries));
  }
}

/** Writes nothing into what people get to read, and does not complain of it. */
class DirectWriter extends OutgoingWriter {
  override canCarry(): boolean {
    return false;
  }
}
