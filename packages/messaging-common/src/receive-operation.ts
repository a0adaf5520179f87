/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes, Link, Span } from '@opentelemetry/api';
import { ActiveOperation, hrTime } from './active-operation';
import { ambientSpan, withoutScope } from './context';
import { spanKind } from './conventions';
import { DeliveredBatch, type Delivery, deliver } from './delivery';
import { followIteration } from './iteration';
import type { MessageReader, Outcome } from './operation';
import { contexts, TraceFlags } from './otel';
import type { OperationPlan } from './plan';
import { ATTR_MESSAGING_BATCH_MESSAGE_COUNT } from './semconv';
import type { Telemetry } from './telemetry';

/**
 * A call that pulls messages. Its span is made when the answer is there, with the call's start time: links are known
 * then, and a poll that brought nothing needs none. Until then nothing can be below it.
 */
export class ReceiveOperation extends ActiveOperation {
  span: Span | undefined;
  protected override startedEpochMs = Date.now();
  readonly context = contexts().active();

  constructor(telemetry: Telemetry, plan: OperationPlan) {
    super(telemetry, plan, performance.now());
  }

  /** The answer tells more of the destination than was known at the call. */
  refine(plan: OperationPlan): void {
    this.plan = plan;
  }

  /**
   * Ends the operation with the messages that it brought; walking the array makes their contexts active.
   * @param processPlan plan of each message's `process` span, or what finds it for messages of several destinations
   * @param attributes of the call's own span
   * @param common of the `process` span of each message
   * @param follow makes the contexts active
   */
  endWithMessages<M extends object>(
    messages: M[],
    reader: MessageReader<M>,
    processPlan: OperationPlan | ((message: M) => OperationPlan),
    attributes?: Attributes,
    common?: Attributes,
    follow: (messages: object[]) => void = followIteration,
  ): Delivery<M>[] {
    if (this.isEnded) return [];
    const { telemetry, plan } = this;
    const endedMs = performance.now();
    this.endedMs = endedMs;
    telemetry.countMessages(plan, messages.length);
    const batch =
      typeof processPlan === 'function'
        ? new DeliveredBatch(telemetry, processPlan(messages[0] as M), reader, processPlan, endedMs)
        : new DeliveredBatch(telemetry, processPlan, reader, undefined, endedMs);
    batch.isDescribed = true;
    batch.common = common;
    const delivered = deliver(batch, messages);
    try {
      const parent = ambientSpan(this.context);
      const links = this.links(messages, reader, delivered, telemetry.spans.drops(parent));
      this.span = this.startSpan(parent, messages.length, attributes, links);
      batch.receiveSpan = this.span?.spanContext();
      if (plan.facts.isBatch !== true && this.span !== undefined && messages[0] !== undefined) {
        const attributes = telemetry.spans.describe(this.span, plan, messages[0], reader);
        if (delivered[0] !== undefined) delivered[0].attributes = attributes;
      }
    } catch (error) {
      telemetry.report('start a receive span', error);
    }
    this.end();
    if (telemetry.config.perMessageSpans && plan.facts.isBatch === true) follow(messages);
    return delivered;
  }

  protected override record(outcome: Outcome | undefined): string | undefined {
    if (this.span === undefined && this.endedMs === undefined && this.isWorthASpan(outcome)) {
      this.span = this.startSpan(ambientSpan(this.context), 0, outcome?.attributes, []);
    }
    return super.record(outcome);
  }

  private isWorthASpan(outcome: Outcome | undefined): boolean {
    return outcome?.error !== undefined || this.telemetry.config.emptyReceiveSpans;
  }

  private startSpan(
    parent: Span | undefined,
    count: number,
    attributes: Attributes | undefined,
    links: Link[],
  ): Span | undefined {
    const { plan, telemetry } = this;
    const tracer = telemetry.spans.tracerIn(this.context);
    // Nothing is ever below the span: where it is certainly not recorded, there is no use for one.
    if (tracer === undefined || telemetry.spans.drops(parent)) return undefined;
    const context = withoutScope(this.context, parent);
    const startTime = hrTime(this.startedEpochMs);
    const span = telemetry.spans.start(tracer, plan, spanKind('receive'), context, links, startTime);
    if (span.isRecording()) {
      if (plan.facts.isBatch === true) span.setAttribute(ATTR_MESSAGING_BATCH_MESSAGE_COUNT, count);
      if (attributes !== undefined) span.setAttributes(attributes);
      if (plan.facts.isBatch === true || count === 0) telemetry.spans.show(span, plan);
    }
    return span;
  }

  /** @param isDropped whether the receive span is certainly not recorded */
  private links<M>(
    messages: readonly M[],
    reader: MessageReader<M>,
    delivered: readonly Delivery<M>[],
    isDropped: boolean,
  ): Link[] {
    const isBatch = this.plan.facts.isBatch === true;
    const links: Link[] = [];
    for (let i = 0; i < delivered.length; i++) {
      const delivery = delivered[i] as Delivery<M>;
      if (delivery.creation === undefined) continue;
      // Nobody reads the link; what it says is wanted for the message's own span, if that is recorded.
      if (isDropped && (delivery.creation.traceFlags & TraceFlags.SAMPLED) === 0) continue;
      if (isBatch) delivery.attributes = this.telemetry.spans.attributesOf(messages[i] as M, reader);
      links.push({ context: delivery.creation, attributes: delivery.attributes });
    }
    return links;
  }
}
