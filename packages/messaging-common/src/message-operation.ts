/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes, Context, Span, SpanContext } from '@opentelemetry/api';
import { ActiveOperation, hrTime } from './active-operation';
import type { Incoming } from './carrier';
import { ambientSpan, type DeliveryScope, withoutScope, withScope } from './context';
import { spanKind } from './conventions';
import type { DeliveredBatch } from './delivery';
import type { MessageReader, Outcome } from './operation';
import { ROOT_CONTEXT } from './otel';
import type { OperationPlan } from './plan';
import { linksOf, parentOf } from './relations';
import { ATTR_MESSAGING_MESSAGE_RECEIVE_LATENCY } from './semconv';
import type { Telemetry } from './telemetry';

/** What is known of a message when it is handed over. */
export interface Delivered<M> {
  readonly reader: MessageReader<M>;
  readonly incoming: Incoming;
  /** Between send and delivery. */
  readonly latencyMs: number | undefined;
  /** Span of the call that delivered it. */
  readonly receiveSpan: SpanContext | undefined;
  /** What a link to it has. */
  readonly attributes: Attributes | undefined;
  /** Whether that is all that is known, so that its own span need not ask again. */
  readonly isDescribed: boolean;
  /** What its span has besides. */
  readonly common: Attributes | undefined;
  /** Makes the operation the one that has the message's span; false if it has joined an earlier one instead. */
  claim?(operation: MessageOperation<M>): boolean;
  /** Called at the operation's end. */
  release?(operation: MessageOperation<M>): void;
}

/** The span and the context of one message that is handled: where they belong, and when the span starts. */
export abstract class MessageOperation<M = unknown> extends ActiveOperation implements DeliveryScope {
  span: Span | undefined;
  readonly context: Context;
  successor: Context | undefined;
  protected isStarted = false;
  /** Set where the span is that of another pass: whether this pass is over. */
  declare private hasLeft?: boolean;

  /** @param batch of a message whose span starts when somebody first asks for it; absent where it starts at once */
  protected constructor(
    telemetry: Telemetry,
    plan: OperationPlan,
    protected message: M | undefined,
    protected readonly delivered: Delivered<M>,
    protected ambient: Context,
    batch?: DeliveredBatch<M>,
  ) {
    super(telemetry, plan, batch === undefined ? undefined : performance.now());
    if (batch !== undefined) this.startedEpochMs = batch.epochMsOf(this.startedMs);
    this.context = withScope(this.baseOf(ambient), this);
  }

  /** The message, while its handling is not over. */
  get handled(): M | undefined {
    return this.message;
  }

  get reader(): MessageReader<M> {
    return this.delivered.reader;
  }

  hasStarted(): boolean {
    return this.isStarted;
  }

  activeSpan(): Span | undefined {
    if (!this.isStarted) {
      this.startLazily();
      // Asked by work that outlived its body: the span is as long as the body was.
      if (this.endedMs !== undefined) this.end();
    }
    return this.span;
  }

  isOver(): boolean {
    if (this.hasLeft !== undefined) return this.hasLeft;
    return this.isEnded || (this.endedMs !== undefined && !this.isHeld);
  }

  get hasBaggage(): boolean {
    return true;
  }

  isCreationContext({ spanId, traceId }: SpanContext): boolean {
    const { creation } = this.delivered.incoming;
    return creation?.spanId === spanId && creation.traceId === traceId;
  }

  /** Another pass over the batch has made the message's one span: what is done in this one belongs to it too. */
  join(span: Span | undefined): void {
    this.hasLeft = false;
    this.isStarted = true;
    this.isEnded = true;
    this.span = span;
  }

  /** The body of a pass that has joined another one is over; that one's span goes on. */
  protected leaveJoined(): void {
    if (this.hasLeft !== undefined) this.hasLeft = true;
  }

  override end(outcome?: Outcome): void {
    if (!this.isEnded && !this.isHeld) this.startLazily(); // it may join now, and then has nothing to end
    this.leaveJoined();
    super.end(outcome);
  }

  protected startLazily(): void {
    if (this.isStarted) return;
    try {
      this.start();
    } catch (error) {
      this.telemetry.report('start a process span', error);
    }
  }

  protected start(): void {
    const around = ambientSpan(this.ambient); // first: it may be that of an earlier pass, which starts by this
    if (this.isStarted) return;
    this.isStarted = true; // before the start: a sampler that asks for the active span must not start another
    if (this.delivered.claim?.(this) === false) return;
    const { telemetry, plan, message } = this;
    const { reader, incoming, receiveSpan, attributes, isDescribed, latencyMs } = this.delivered;
    const tracer = telemetry.spans.tracerIn(this.context);
    if (tracer === undefined) return;
    const parent = parentOf(telemetry.config, plan, incoming, around);
    const context = withoutScope(this.context, parent);
    if (telemetry.spans.drops(parent)) {
      this.span = telemetry.spans.startDropped(tracer, plan, parent, context);
      return;
    }
    const links = linksOf(incoming, receiveSpan, around, parent);
    const startTime = this.startedEpochMs === undefined ? undefined : hrTime(this.startedEpochMs);
    this.span = telemetry.spans.start(tracer, plan, spanKind('process'), context, links, startTime);
    if (!this.span.isRecording()) return;
    const known = isDescribed || message === undefined ? attributes : undefined;
    telemetry.spans.describe(this.span, plan, message, reader, known);
    if (this.delivered.common !== undefined) this.span.setAttributes(this.delivered.common);
    if (latencyMs !== undefined) this.span.setAttribute(ATTR_MESSAGING_MESSAGE_RECEIVE_LATENCY, latencyMs);
  }

  /** What the handler's context has besides its span: for a pushed message all that it brought, for a pulled one its baggage. */
  private baseOf(ambient: Context): Context {
    const { telemetry, message } = this;
    const { incoming, reader } = this.delivered;
    if (incoming.context === undefined || !this.plan.isTrusted) return ambient;
    if (ambient === ROOT_CONTEXT) return incoming.context;
    return telemetry.guard('read the context of a message', ambient, () => {
      return telemetry.signals.carrier?.extractOver(ambient, message as M, reader, incoming) ?? ambient;
    });
  }
}
