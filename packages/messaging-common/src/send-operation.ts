/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type Context, context as contextApi, type Link, type Span, type Tracer } from '@opentelemetry/api';
import { ActiveOperation } from './active-operation';
import { SpanContextLayer } from './context';
import { sendKind, spanKind } from './conventions';
import { errorType } from './errors';
import { type Existing, existingContext, writeContext } from './injection';
import type { MessageWriter, Outcome } from './operation';
import type { OperationPlan } from './plan';
import { ATTR_ERROR_TYPE, ATTR_MESSAGING_BATCH_MESSAGE_COUNT, ERROR_TYPE_VALUE_OTHER } from './semconv';
import type { Telemetry } from './telemetry';

/** Sends one message. */
export class SendOperation<M> extends ActiveOperation {
  readonly span: Span | undefined;
  readonly context: Context;
  /** What to hand to the client: a copy that carries the context, or the application's own message. */
  readonly message: M;

  constructor(telemetry: Telemetry, plan: OperationPlan, message: M, writer: MessageWriter<M>) {
    super(telemetry, plan);
    const ambient = contextApi.active();
    const tracer = telemetry.tracerIn(ambient);
    if (tracer === undefined) {
      this.context = ambient;
      this.message = message;
      return;
    }
    const existing = existingContext(telemetry, ambient, message, writer);
    const carries = existing.custom === undefined && (writer.canCarry?.(message) ?? true);
    this.span = tracer.startSpan(
      plan.spanName,
      {
        kind: sendKind(carries),
        attributes: plan.attributes,
        links: existing.custom === undefined ? undefined : [{ context: existing.custom }],
      },
      ambient,
    );
    this.context = new SpanContextLayer(ambient, this.span);
    this.message = carries ? writeContext(telemetry, message, writer, this.context, this.span, existing) : message;
    telemetry.describeSpan(this.span, plan, message, writer);
  }

  protected finish(outcome: Outcome | undefined): void {
    const { span, telemetry, plan } = this;
    const type = outcome?.error === undefined ? undefined : this.recordError(span, outcome.error);
    if (outcome?.attributes !== undefined && span?.isRecording()) span.setAttributes(outcome.attributes);
    span?.end();
    telemetry.recordDuration(plan, this.startedMs, type);
    telemetry.countMessages(plan, 1, type);
  }
}

/**
 * Sends several messages with one call. Each message without a context of its own gets a `create` span, and the send
 * span links to them all; with `create` spans off, or for a single message, the send span's context goes into each.
 */
export class BatchSendOperation<M> extends ActiveOperation {
  readonly span: Span | undefined;
  readonly context: Context;
  /** What to hand to the client, in the order of the application's messages. */
  readonly messages: readonly M[];

  /** Index of the message that each link stands for, and the link; kept only while the answer is awaited. */
  private readonly links: (Link & { readonly index: number })[] = [];
  private readonly linksWait: boolean;

  /** @param createPlan plan of the `create` span of the n-th message */
  constructor(
    telemetry: Telemetry,
    plan: OperationPlan,
    messages: readonly M[],
    private readonly writer: MessageWriter<M>,
    createPlan: (index: number) => OperationPlan,
  ) {
    super(telemetry, plan);
    this.linksWait = writer.answersPerMessage === true;
    const ambient = contextApi.active();
    const tracer = telemetry.tracerIn(ambient);
    if (tracer === undefined) {
      this.context = ambient;
      this.messages = messages;
      return;
    }
    const { batchCreateSpans, maxCreateSpansPerBatch } = telemetry.config;
    if (batchCreateSpans && messages.length > 1 && messages.length <= maxCreateSpansPerBatch) {
      this.messages = messages.map((message, i) => this.createOne(tracer, ambient, message, i, createPlan(i)));
      this.span = this.startSpan(tracer, ambient, messages.length, false);
      this.context = new SpanContextLayer(ambient, this.span);
      return;
    }
    const existing = messages.map((message) => existingContext(telemetry, ambient, message, writer));
    const carries = messages.map((m, i) => existing[i]?.custom === undefined && (writer.canCarry?.(m) ?? true));
    for (const [i, message] of messages.entries()) this.link(existing[i]?.custom, message, i);
    const span = this.startSpan(tracer, ambient, messages.length, carries.includes(true));
    const context = new SpanContextLayer(ambient, span);
    this.span = span;
    this.context = context;
    this.messages = messages.map((message, i) =>
      carries[i] ? writeContext(telemetry, message, writer, context, span, existing[i] as Existing) : message,
    );
  }

  protected finish(outcome: Outcome | undefined): void {
    const { span, telemetry, plan, messages } = this;
    const failures = outcome?.messages?.filter((message) => message?.error !== undefined) ?? [];
    if (this.linksWait) this.addLinks(outcome);
    const error = outcome?.error ?? (failures.length === messages.length ? commonError(failures) : undefined);
    const type = error === undefined ? undefined : this.recordError(span, error);
    if (outcome?.attributes !== undefined && span?.isRecording()) span.setAttributes(outcome.attributes);
    span?.end();
    telemetry.recordDuration(plan, this.startedMs, type);
    if (outcome?.error !== undefined) {
      telemetry.countMessages(plan, messages.length, type);
      return;
    }
    telemetry.countMessages(plan, messages.length - failures.length);
    for (const failure of failures) telemetry.countMessages(plan, 1, errorType(failure?.error));
  }

  private createOne(tracer: Tracer, ambient: Context, message: M, index: number, plan: OperationPlan): M {
    const { telemetry, writer } = this;
    const existing = existingContext(telemetry, ambient, message, writer);
    if (existing.custom !== undefined || writer.canCarry?.(message) === false) {
      this.link(existing.custom, message, index);
      return message;
    }
    const options = { kind: spanKind('create'), attributes: plan.attributes };
    const span = tracer.startSpan(plan.spanName, options, ambient);
    telemetry.describeSpan(span, plan, message, writer);
    const copy = writeContext(telemetry, message, writer, new SpanContextLayer(ambient, span), span, existing);
    span.end();
    this.link(span.spanContext(), message, index);
    return copy;
  }

  private startSpan(tracer: Tracer, ambient: Context, count: number, carriesOwn: boolean): Span {
    return tracer.startSpan(
      this.plan.spanName,
      {
        kind: sendKind(carriesOwn),
        attributes: { ...this.plan.attributes, [ATTR_MESSAGING_BATCH_MESSAGE_COUNT]: count },
        links: this.linksWait ? undefined : this.links,
      },
      ambient,
    );
  }

  private link(context: Link['context'] | undefined, message: M, index: number): void {
    if (context === undefined) return;
    this.links.push({ context, attributes: this.telemetry.linkAttributes(message, this.writer), index });
  }

  /** Links with what the answer says of their messages. */
  private addLinks(outcome: Outcome | undefined): void {
    if (!this.span?.isRecording()) return;
    for (const { context, attributes, index } of this.links) {
      const answer = outcome?.messages?.[index];
      const type = answer?.error === undefined ? undefined : { [ATTR_ERROR_TYPE]: errorType(answer.error) };
      this.span.addLink({ context, attributes: { ...attributes, ...answer?.attributes, ...type } });
    }
  }
}

/** The error all entries of a failed batch share, or one that says that they differ. */
function commonError(failures: readonly ({ readonly error?: unknown } | undefined)[]): unknown {
  const types = new Set(failures.map((failure) => errorType(failure?.error)));
  if (types.size === 1) return failures[0]?.error;
  return Object.assign(new Error('all messages of the batch failed'), { name: ERROR_TYPE_VALUE_OTHER });
}
