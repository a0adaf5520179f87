/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Context, Link, Span, SpanContext } from '@opentelemetry/api';
import { ActiveOperation, hrTime } from './active-operation';
import { ambientSpan, scopeOf, withoutScope, withSpan } from './context';
import { spanKind } from './conventions';
import { errorType } from './errors';
import { commonError, failuresOf } from './failures';
import type { MessageReader, Outcome } from './operation';
import { contexts, trace } from './otel';
import type { OperationPlan } from './plan';
import { ATTR_ERROR_TYPE, ATTR_MESSAGING_BATCH_MESSAGE_COUNT } from './semconv';
import type { Telemetry } from './telemetry';

/** Which messages a call settles, as far as it is known. */
export interface Settled {
  /** How many; absent where the broker alone knows. */
  readonly count?: number;
  /** Creation contexts of those of the messages whose context is at hand. */
  readonly creations: readonly (SpanContext | undefined)[];
  /**
   * The creation context of the one message, where its settlement belongs to that trace also while a span of another
   * one is active. Given as undefined, the message's trace is none to follow.
   */
  readonly home?: SpanContext;
  /** The message, where it is one and at hand. */
  readonly message?: unknown;
  // biome-ignore lint/suspicious/noExplicitAny: the reader of that message, whatever its type
  readonly reader?: MessageReader<any>;
  /** Milliseconds that the call took, where it is over already. */
  readonly tookMs?: number;
}

/** A call that acknowledges, rejects or deletes messages, or commits an offset. */
export class SettleOperation extends ActiveOperation {
  readonly span: Span | undefined;
  readonly context: Context;
  private readonly count: number | undefined;
  private waiting: readonly (SpanContext | undefined)[] = [];

  constructor(telemetry: Telemetry, plan: OperationPlan, settled: Settled) {
    const { count, creations, home, message, reader, tookMs } = settled;
    super(telemetry, plan, tookMs === undefined ? undefined : performance.now() - tookMs);
    if (tookMs !== undefined) this.startedEpochMs = Date.now() - tookMs;
    this.count = count;
    const active = contexts().active();
    const tracer = telemetry.spans.tracerIn(active);
    if (tracer === undefined) {
      this.context = active;
      return;
    }
    // Settled outside of any handler: the message's own trace is where its end belongs.
    const first = creations.length === 1 && telemetry.config.processParent === 'creation' ? creations[0] : undefined;
    const only = 'home' in settled ? home : first;
    const around = ambientSpan(active);
    const isElsewhere = home !== undefined && around !== undefined && !isHandling(active, around, home);
    const parent = (isElsewhere ? undefined : around) ?? (only && trace.wrapSpanContext(only));
    const isBatch = plan.facts.isBatch === true && count !== undefined;
    const context = withoutScope(active, parent);
    if (telemetry.spans.drops(parent)) {
      this.span = telemetry.spans.startDropped(tracer, plan, parent, context);
      this.context = withSpan(active, this.span);
      return;
    }
    const linked = isElsewhere ? [...creations, around.spanContext()] : creations;
    // A batch's links wait for the answer, which speaks of single messages.
    if (isBatch) this.waiting = linked;
    const links = isBatch ? undefined : linksTo(linked);
    const startTime = this.startedEpochMs === undefined ? undefined : hrTime(this.startedEpochMs);
    this.span = telemetry.spans.start(tracer, plan, spanKind('settle'), context, links, startTime);
    this.context = withSpan(active, this.span);
    if (isBatch && this.span.isRecording()) this.span.setAttribute(ATTR_MESSAGING_BATCH_MESSAGE_COUNT, count);
    if (message !== undefined && reader !== undefined) telemetry.spans.describe(this.span, plan, message, reader);
    else telemetry.spans.show(this.span, plan);
  }

  protected override record(outcome: Outcome | undefined): string | undefined {
    for (let i = 0; i < this.waiting.length; i++) {
      const context = this.waiting[i];
      const failure = outcome?.messages?.[i]?.error;
      const attributes = failure === undefined ? undefined : { [ATTR_ERROR_TYPE]: errorType(failure) };
      if (context !== undefined) this.span?.addLink({ context, attributes });
    }
    if (outcome?.messages === undefined) return super.record(outcome);
    const failures = failuresOf(outcome);
    const areAll = failures.length > 0 && failures.length === (this.count ?? outcome.messages.length);
    return super.record({ ...outcome, error: outcome.error ?? (areAll ? commonError(failures) : undefined) });
  }
}

/** Whether what is active is work on the message: in its trace, or in its handler. */
function isHandling(active: Context, around: Span, home: SpanContext): boolean {
  return around.spanContext().traceId === home.traceId || scopeOf(active)?.isCreationContext(home) === true;
}

function linksTo(contexts: readonly (SpanContext | undefined)[]): Link[] | undefined {
  let links: Link[] | undefined;
  for (const context of contexts) {
    if (context === undefined) continue;
    links ??= [];
    links.push({ context });
  }
  return links;
}
