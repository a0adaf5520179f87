/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes, Context, Link, Span, SpanContext, Tracer } from '@opentelemetry/api';
import { ActiveOperation } from './active-operation';
import { withSpan } from './context';
import { sendKind, spanKind } from './conventions';
import { errorType } from './errors';
import { commonError, failuresOf } from './failures';
import { type Existing, existingContext, writeContext } from './injection';
import type { MessageWriter, Outcome } from './operation';
import { contexts, trace } from './otel';
import type { OperationPlan } from './plan';
import { ATTR_ERROR_TYPE, ATTR_MESSAGING_BATCH_MESSAGE_COUNT } from './semconv';
import type { Telemetry } from './telemetry';

/** Sends one message. */
export class SendOperation<M> extends ActiveOperation {
  readonly span: Span | undefined;
  readonly context: Context;
  private readonly ambient: Context;
  /** Undefined where nothing is to be written into the application's message. */
  private readonly existing: Existing | undefined;
  private copy: M | undefined;

  constructor(
    telemetry: Telemetry,
    plan: OperationPlan,
    private readonly own: M,
    private readonly writer: MessageWriter<M>,
  ) {
    super(telemetry, plan);
    const ambient = contexts().active();
    this.ambient = ambient;
    const tracer = telemetry.spans.tracerIn(ambient);
    if (tracer === undefined) {
      this.context = ambient;
      return;
    }
    const existing = existingContext(telemetry, ambient, own, writer);
    const carries = existing.custom === undefined && (writer.canCarry?.(own) ?? true);
    if (carries) this.existing = existing;
    const parent = trace.getSpan(ambient);
    if (telemetry.spans.drops(parent)) {
      this.span = telemetry.spans.startDropped(tracer, plan, parent, ambient);
    } else {
      const links = existing.custom === undefined ? undefined : [{ context: existing.custom }];
      this.span = telemetry.spans.start(tracer, plan, sendKind(carries), ambient, links);
    }
    this.context = withSpan(ambient, this.span);
    telemetry.spans.describe(this.span, plan, own, writer);
  }

  /** What to hand to the client: a copy that carries the context, or the application's own message. */
  get message(): M {
    const { telemetry, own, writer, context, span, existing } = this;
    if (span === undefined || existing === undefined) return own;
    this.copy ??= writeContext(telemetry, own, writer, context, span, existing);
    return this.copy;
  }

  /**
   * The same for what hooks of the client have made of the message since the operation began.
   * @param writer of messages as they are sent
   */
  carriedBy(message: M, writer: MessageWriter<M>): M {
    const { telemetry, ambient, context, span } = this;
    return span === undefined ? message : carried(telemetry, ambient, message, writer, context, span);
  }

  protected override measure(durationMs: number, failure: string | undefined): void {
    this.telemetry.recordDuration(this.plan, durationMs, failure);
    this.telemetry.countMessages(this.plan, 1, failure);
  }
}

/**
 * Sends several messages with one call. Each message without a context of its own gets a `create` span, and the send
 * span links to them all; with `create` spans off, or for a single message, the send span's context goes into each.
 */
export class BatchSendOperation<M> extends ActiveOperation {
  readonly span: Span | undefined;
  readonly context: Context;
  private readonly ambient: Context;
  private readonly parent: Span | undefined;
  /** Whether the spans are certainly not recorded. */
  private readonly isDropped: boolean = false;
  private readonly links: Link[] = [];
  /** Where links wait for the answer: index of the message that the n-th link stands for. */
  private readonly linked: number[] | undefined;
  /** What each message has in place of a context of ours; undefined for one that is to stay as it is. */
  private readonly existing: (Existing | undefined)[] = [];
  /** The `create` spans of messages that have one; none with those spans off. */
  private readonly created: (Span | undefined)[] = [];
  private copies: M[] | undefined;

  /** @param createPlan plan of the `create` span of the n-th message */
  constructor(
    telemetry: Telemetry,
    plan: OperationPlan,
    private readonly own: readonly M[],
    private readonly writer: MessageWriter<M>,
    createPlan: (index: number) => OperationPlan,
  ) {
    super(telemetry, plan);
    if (writer.answersPerMessage === true) this.linked = [];
    const ambient = contexts().active();
    this.ambient = ambient;
    const tracer = telemetry.spans.tracerIn(ambient);
    if (tracer === undefined) {
      this.context = ambient;
      return;
    }
    this.parent = trace.getSpan(ambient);
    this.isDropped = telemetry.spans.drops(this.parent);
    // Walked by index all through: the array may be one that was received, whose iteration means something.
    const count = own.length;
    const { existing } = this;
    const { batchCreateSpans, maxCreateSpansPerBatch } = telemetry.config;
    if (batchCreateSpans && count > 1 && count <= maxCreateSpansPerBatch) {
      for (let i = 0; i < count; i++) {
        const found = this.existingOf(ambient, own[i] as M, i);
        existing.push(found);
        this.created.push(found && this.create(tracer, ambient, own[i] as M, i, createPlan(i)));
      }
      this.span = this.startSpan(tracer, ambient, count, false);
      this.context = withSpan(ambient, this.span);
      return;
    }
    for (let i = 0; i < count; i++) existing.push(this.existingOf(ambient, own[i] as M, i));
    this.span = this.startSpan(
      tracer,
      ambient,
      count,
      existing.some((one) => one !== undefined),
    );
    this.context = withSpan(ambient, this.span);
    if (count === 1) telemetry.spans.describe(this.span, plan, own[0] as M, writer);
  }

  /** What to hand to the client, in the order of the application's messages. */
  get messages(): readonly M[] {
    const { own, existing, span } = this;
    if (span === undefined) return own;
    if (this.copies !== undefined) return this.copies;
    const copies: M[] = [];
    this.copies = copies;
    for (let i = 0; i < own.length; i++) {
      const message = own[i] as M;
      const found = existing[i];
      copies.push(found === undefined ? message : this.write(message, this.created[i] ?? span, found));
    }
    return copies;
  }

  /**
   * The same for what hooks of the client have made of the n-th message since the operation began.
   * @param index undefined for a message that was not there then
   * @param writer of messages as they are sent
   */
  carriedBy(message: M, index: number | undefined, writer: MessageWriter<M>): M {
    const { telemetry, ambient, context, span } = this;
    const created = index === undefined ? undefined : this.created[index];
    if (created !== undefined) {
      return carried(telemetry, ambient, message, writer, withSpan(ambient, created), created);
    }
    return span === undefined ? message : carried(telemetry, ambient, message, writer, context, span);
  }

  protected override record(outcome: Outcome | undefined): string | undefined {
    if (this.linked !== undefined) this.addLinks(this.linked, outcome);
    if (outcome?.messages === undefined) return super.record(outcome);
    const failures = failuresOf(outcome);
    const areAll = failures.length > 0 && failures.length === this.own.length;
    const only = this.own.length === 1 ? outcome.messages[0] : undefined;
    return super.record({
      error: outcome.error ?? (areAll ? commonError(failures) : undefined),
      attributes: only?.attributes === undefined ? outcome.attributes : { ...outcome.attributes, ...only.attributes },
    });
  }

  protected override measure(durationMs: number, failure: string | undefined, outcome: Outcome | undefined): void {
    const { telemetry, plan, own } = this;
    telemetry.recordDuration(plan, durationMs, failure);
    if (outcome?.error !== undefined) {
      telemetry.countMessages(plan, own.length, failure);
      return;
    }
    const failures = failuresOf(outcome);
    telemetry.countMessages(plan, own.length - failures.length);
    for (const error of failures) telemetry.countMessages(plan, 1, errorType(error));
  }

  /** A `create` span for a message that has no context, and room for one. */
  private create(tracer: Tracer, ambient: Context, message: M, index: number, plan: OperationPlan): Span {
    const { telemetry, writer } = this;
    const span = this.isDropped
      ? telemetry.spans.startDropped(tracer, plan, this.parent, ambient)
      : telemetry.spans.start(tracer, plan, spanKind('create'), ambient);
    const attributes = span.isRecording() ? telemetry.spans.describe(span, plan, message, writer) : undefined;
    span.end();
    this.link(span.spanContext(), attributes, index);
    return span;
  }

  private write(message: M, span: Span, existing: Existing): M {
    const { telemetry, writer, ambient } = this;
    const context = span === this.span ? this.context : withSpan(ambient, span);
    return writeContext(telemetry, message, writer, context, span, existing);
  }

  /** What the message has in place of a context of ours; undefined if it is to stay as it is. */
  private existingOf(ambient: Context, message: M, index: number): Existing | undefined {
    const { telemetry, writer } = this;
    const existing = existingContext(telemetry, ambient, message, writer);
    if (existing.custom !== undefined) {
      this.link(existing.custom, telemetry.spans.attributesOf(message, writer), index);
      return undefined;
    }
    return writer.canCarry?.(message) === false ? undefined : existing;
  }

  private startSpan(tracer: Tracer, ambient: Context, count: number, carriesOwn: boolean): Span {
    const { telemetry, plan, parent } = this;
    if (this.isDropped) return telemetry.spans.startDropped(tracer, plan, parent, ambient);
    const links = this.linked === undefined ? this.links : undefined;
    const span = telemetry.spans.start(tracer, plan, sendKind(carriesOwn), ambient, links);
    if (span.isRecording()) span.setAttribute(ATTR_MESSAGING_BATCH_MESSAGE_COUNT, count);
    if (count !== 1) telemetry.spans.show(span, plan);
    return span;
  }

  private link(context: SpanContext, attributes: Attributes | undefined, index: number): void {
    if (this.isDropped) return;
    this.links.push({ context, attributes });
    this.linked?.push(index);
  }

  /** Links with what the answer says of their messages. */
  private addLinks(linked: readonly number[], outcome: Outcome | undefined): void {
    if (!this.span?.isRecording()) return;
    for (let i = 0; i < linked.length; i++) {
      const { context, attributes } = this.links[i] as Link;
      const answer = outcome?.messages?.[linked[i] as number];
      const failure = answer?.error === undefined ? undefined : { [ATTR_ERROR_TYPE]: errorType(answer.error) };
      this.span.addLink({ context, attributes: Object.assign({}, attributes, answer?.attributes, failure) });
    }
  }
}

/** A copy of the message with the span's context, unless it has one of the application's, or no room. */
function carried<M>(
  telemetry: Telemetry,
  ambient: Context,
  message: M,
  writer: MessageWriter<M>,
  context: Context,
  span: Span,
): M {
  const existing = existingContext(telemetry, ambient, message, writer);
  if (existing.custom !== undefined || writer.canCarry?.(message) === false) return message;
  return writeContext(telemetry, message, writer, context, span, existing);
}
