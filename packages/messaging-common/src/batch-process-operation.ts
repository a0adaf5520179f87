/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Context, Link, Span, SpanContext } from '@opentelemetry/api';
import { ActiveOperation } from './active-operation';
import { ambientSpan, type DeliveryScope, withoutScope, withScope, withSpan } from './context';
import { spanKind } from './conventions';
import { DeliveredBatch, type Delivery, deliver, deliveryOf } from './delivery';
import { commonError, failuresOf } from './failures';
import { followIteration } from './iteration';
import type { MessageReader, Outcome } from './operation';
import { ROOT_CONTEXT, TraceFlags } from './otel';
import type { OperationPlan } from './plan';
import { isObservable } from './promises';
import { ATTR_MESSAGING_BATCH_MESSAGE_COUNT } from './semconv';
import type { Telemetry } from './telemetry';

/** What is special about a batch. */
export interface BatchSetting {
  /** What is active where the batch is handed over; without it that is an accident. Its span is the parent. */
  readonly ambient?: Context;
  /** Of messages that an earlier operation has delivered, and counted. */
  readonly deliveries?: readonly Delivery[];
  /** Spans of single messages wait for the end of the batch, whose outcome may speak of each. */
  readonly holdsMessages?: boolean;
}

/**
 * A callback that handles several messages at once: one span that links to all of them and has no parent of theirs.
 * While it walks the batch, each message gets a `process` span of its own in its producer's trace.
 */
export class BatchProcessOperation extends ActiveOperation implements DeliveryScope {
  readonly span: Span | undefined;
  readonly context: Context;
  private readonly batch: DeliveredBatch<object>;
  private readonly delivered: readonly Delivery<object>[];
  /** Those whose spans wait for the end of the batch, as delivered: the application may change its array. */
  private held: readonly object[] = [];
  /** Traces by the ids of creation spans; made for the first message that is sent from within. */
  private creations: Map<string, string> | undefined;
  /** When the application was done with the message before, or got the batch; steady, and since the epoch. */
  private resolvedMs: number;
  private resolvedEpochMs: number;

  /** @param messagePlan plan of each message's own `process` span */
  constructor(
    telemetry: Telemetry,
    plan: OperationPlan,
    messages: object[],
    // biome-ignore lint/suspicious/noExplicitAny: the batch's one reader, whatever its message type
    reader: MessageReader<any>,
    messagePlan: OperationPlan,
    { ambient = ROOT_CONTEXT, deliveries, holdsMessages = false }: BatchSetting = {},
  ) {
    super(telemetry, plan);
    if (holdsMessages) this.held = Array.prototype.slice.call(messages); // walking them would handle them
    this.context = withScope(ambient, this);
    if (deliveries?.[0] !== undefined) {
      this.batch = deliveries[0].batch as DeliveredBatch<object>;
      this.delivered = deliveries as readonly Delivery<object>[];
    } else {
      telemetry.countMessages(plan, messages.length);
      this.batch = new DeliveredBatch<object>(telemetry, messagePlan, reader);
      this.batch.isDescribed = true;
      this.delivered = deliver(this.batch, messages);
    }
    this.batch.isHolding = holdsMessages;
    this.resolvedMs = performance.now();
    this.resolvedEpochMs = this.batch.epochMsOf(this.resolvedMs);
    const parent = ambientSpan(ambient);
    const isDropped = telemetry.spans.drops(parent);
    if (isDropped) this.batch.isDescribed = false;
    const links: Link[] = [];
    for (let i = 0; i < this.delivered.length; i++) {
      const delivery = this.delivered[i] as Delivery<object>;
      if (delivery.creation === undefined) continue;
      if (isDropped && (delivery.creation.traceFlags & TraceFlags.SAMPLED) === 0) continue; // as in `ReceiveOperation`
      delivery.attributes ??= telemetry.spans.attributesOf(messages[i], reader);
      links.push({ context: delivery.creation, attributes: delivery.attributes });
    }
    const tracer = telemetry.spans.tracerIn(ambient);
    if (tracer !== undefined) {
      const context = withoutScope(ambient, parent);
      this.span = isDropped
        ? telemetry.spans.startDropped(tracer, plan, parent, context)
        : telemetry.spans.start(tracer, plan, spanKind('process'), context, links);
      if (this.span.isRecording()) this.span.setAttribute(ATTR_MESSAGING_BATCH_MESSAGE_COUNT, messages.length);
      telemetry.spans.show(this.span, plan);
    }
    if (telemetry.config.perMessageSpans) followIteration(messages);
  }

  /** Calls the application's handler; gives back exactly what it gives. The client is taken to await a promise. */
  handle<A extends unknown[], R>(handler: (...args: A) => R, thisArg: unknown, ...args: A): R {
    const result = this.run(handler, thisArg, ...args);
    if (!isObservable(result)) {
      this.end();
      return result;
    }
    try {
      result.then(
        () => this.end(),
        (error) => this.fail(error),
      );
    } catch (error) {
      this.telemetry.report('watch a promise', error); // of a class whose constructor throws
      this.end();
    }
    return result;
  }

  /**
   * The application says that it is done with messages of the batch, up to this one. A message that no walk over the
   * array has made a span for gets it now, from the moment when the one before was done: its end is known, its handling
   * was not seen, so that what the application did meanwhile is below the batch's span.
   * @param areSeveral whether there are others since the last call: nobody knows the share of each, and none gets a span
   */
  resolve(message: object, areSeveral: boolean): void {
    const { telemetry, batch, resolvedMs, resolvedEpochMs } = this;
    if (this.isEnded || !telemetry.config.perMessageSpans) return;
    const delivery = deliveryOf(message);
    if (delivery?.batch !== batch || delivery.isResolved()) return;
    this.resolvedMs = performance.now();
    this.resolvedEpochMs = batch.epochMsOf(this.resolvedMs);
    if (areSeveral || !telemetry.isOn()) return;
    delivery.handled(message, resolvedMs, this.resolvedMs, resolvedEpochMs);
  }

  activeSpan(): Span | undefined {
    return this.span;
  }

  isOver(): boolean {
    return this.isEnded;
  }

  get hasBaggage(): boolean {
    return false;
  }

  isCreationContext({ spanId, traceId }: SpanContext): boolean {
    this.creations ??= new Map(this.delivered.map(({ creation }) => [creation?.spanId ?? '', creation?.traceId ?? '']));
    return this.creations.get(spanId) === traceId;
  }

  /** The outcome may speak of single messages; that all of them failed is a failure of the batch. */
  protected override record(outcome: Outcome | undefined): string | undefined {
    const { batch, delivered, held } = this;
    this.held = [];
    if (batch.isHolding) {
      batch.isHolding = false;
      const ambient = withSpan(ROOT_CONTEXT, this.span);
      for (let i = 0; i < delivered.length; i++) {
        (delivered[i] as Delivery<object>).conclude(held[i] as object, outcome?.messages?.[i], ambient);
      }
    }
    const failures = failuresOf(outcome);
    const areAll = failures.length > 0 && failures.length === delivered.length;
    return super.record(areAll ? { ...outcome, error: outcome?.error ?? commonError(failures) } : outcome);
  }

  protected override measure(durationMs: number, failure: string | undefined): void {
    // Messages that had spans of their own have recorded their own durations.
    if (!this.batch.hasProcessed) this.telemetry.recordDuration(this.plan, durationMs, failure);
  }
}
