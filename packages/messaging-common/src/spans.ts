/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes, Context, DiagLogger, HrTime, Link, Span, SpanKind, Tracer } from '@opentelemetry/api';
import type { Logger } from '@opentelemetry/api-logs';
import { messageAttributes } from './attributes';
import { CapturedHeaders } from './captured-headers';
import type { ResolvedConfig } from './config';
import { isSuppressed } from './context';
import { report } from './errors';
import { recordException } from './exceptions';
import type { MessageReader, OperationType } from './operation';
import { TraceFlags, trace } from './otel';
import type { OperationPlan } from './plan';
import { isObservable } from './promises';
import type { Signals } from './signals';
import { unsampledChild } from './unsampled-span';

/** Starts the spans of operations, and tells them what there is to tell. Parents and links are the operations' to choose. */
export class Spans {
  private headers: CapturedHeaders;

  constructor(
    private readonly signals: Signals,
    private config: ResolvedConfig,
    private readonly diag: DiagLogger,
    private readonly logger: () => Logger,
  ) {
    this.headers = new CapturedHeaders(config);
  }

  configure(config: ResolvedConfig): void {
    this.config = config;
    this.headers = new CapturedHeaders(config);
  }

  /** The tracer to use in a context; undefined where nothing is traced. */
  tracerIn(context: Context): Tracer | undefined {
    return this.signals.tracer === undefined || isSuppressed(context) ? undefined : this.signals.tracer;
  }

  /**
   * Starts a span of a plan. What nobody sees at its start it is given after that: at the start SDK 2.x looks at each
   * attribute three times, at each link twice.
   * @param context with the span's parent
   * @param startTime of an operation that began earlier
   */
  start(
    tracer: Tracer,
    plan: OperationPlan,
    kind: SpanKind,
    context: Context,
    links?: Link[],
    startTime?: HrTime,
  ): Span {
    const { attributes, details, spanName } = plan;
    const { sampling, contents } = this.signals;
    const options = sampling.startsUnseen ? { kind, startTime } : { kind, attributes, links, startTime };
    const span = tracer.startSpan(spanName, options, context);
    if (!span.isRecording()) return span;
    if (sampling.startsUnseen) contents.give(span, plan.contents, links);
    else if (details !== undefined) span.setAttributes(details);
    return span;
  }

  /**
   * Starts a span of a plan that `drops` has told of.
   * @param context for one without a parent, whose trace id is the SDK's to choose
   */
  startDropped(tracer: Tracer, plan: OperationPlan, parent: Span | undefined, context: Context): Span {
    if (parent === undefined) return tracer.startSpan(plan.spanName, undefined, context);
    return unsampledChild(parent.spanContext());
  }

  /** Whether a span with this parent is certainly not recorded: nobody will read its attributes and links. */
  drops(parent: Span | undefined): boolean {
    const { dropsRoots, dropsUnsampled } = this.signals.sampling;
    if (parent === undefined) return dropsRoots;
    if (!dropsUnsampled) return false;
    const spanContext = parent.spanContext();
    // To a sampler an invalid parent is none.
    return (spanContext.traceFlags & TraceFlags.SAMPLED) === 0 && trace.isSpanContextValid(spanContext);
  }

  /**
   * Adds what belongs to one message to the span that covers it alone; what was added, for a link to it.
   * @param message absent where nobody keeps it any more
   * @param known what a link to the message has already
   */
  describe<M>(
    span: Span,
    plan: OperationPlan,
    message: M | undefined,
    reader: MessageReader<M>,
    known?: Attributes,
  ): Attributes | undefined {
    if (!span.isRecording()) return undefined;
    const attributes = known ?? (message === undefined ? undefined : this.attributesOf(message, reader));
    try {
      if (attributes !== undefined) span.setAttributes(attributes);
    } catch (error) {
      report(this.diag, 'describe a span', error);
    }
    this.show(span, plan, message);
    return attributes;
  }

  /**
   * Calls the hook with a span, unless that records nothing; to be called once for each that `describe` is not.
   * @param message the one that the span is about; absent where there are several, or none
   */
  show(span: Span, { facts }: OperationPlan, message?: unknown): void {
    const { spanHook } = this.config;
    if (spanHook === undefined || !span.isRecording()) return;
    try {
      const answer: unknown = spanHook(span, { operation: facts, message });
      // A hook that is asynchronous may fail later, and nobody else would hear of it but the process, which would end.
      if (isObservable(answer)) answer.then(undefined, (error) => report(this.diag, 'describe a span', error));
    } catch (error) {
      report(this.diag, 'describe a span', error);
    }
  }

  /** What belongs to one message, for its link. */
  attributesOf<M>(message: M, reader: MessageReader<M>): Readonly<Attributes> {
    try {
      const { semconv, captureBodySize } = this.config;
      const attributes = messageAttributes(reader.describe(message), semconv, captureBodySize);
      if (this.headers.isEmpty) return attributes;
      const withHeaders = { ...attributes };
      this.headers.addTo(withHeaders, message, reader, this.signals.carrier);
      return withHeaders;
    } catch (error) {
      report(this.diag, 'describe a message', error);
      return {};
    }
  }

  recordException(span: Span, context: Context, type: OperationType, error: Error, time: HrTime | undefined): void {
    recordException(this.config.exceptionSignal, this.logger, span, context, type, error, time);
  }
}
