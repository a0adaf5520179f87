/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Context, SpanContext, TextMapGetter, TextMapPropagator } from '@opentelemetry/api';
import type { MessageReader, OutgoingContext } from './operation';
import { INVALID_TRACEID, propagation as propagationApi, ROOT_CONTEXT, trace } from './otel';
import { formatTraceparent, parseTraceparent } from './traceparent';

/** What a message brought along. */
export interface Incoming {
  readonly creation?: SpanContext;
  /** A context with all that the propagator found, baggage included; absent if it found no more than `creation`. */
  readonly context?: Context;
  /** Link to `creation`, but start a new trace. */
  readonly linkOnly?: boolean;
}

const NOTHING: Incoming = {};

/** Reads and writes creation contexts with one propagator; holds what a probe has found out about it. */
export class Carrier {
  readonly fields: readonly string[];
  /** Fields without baggage: a message's own baggage stays where ours has none. */
  private readonly contextFields: readonly string[];
  private readonly isPlainW3c: boolean;

  constructor(private readonly propagator: TextMapPropagator) {
    this.fields = propagator.fields();
    this.contextFields = this.fields.filter((field) => field !== 'baggage');
    this.isPlainW3c = this.fields.every((field) => W3C_FIELDS.has(field)) && behavesAsW3c(propagator);
  }

  /** Whether a header of this name, in any letter case, is the propagator's. */
  owns(header: string): boolean {
    const name = header.toLowerCase();
    return this.fields.some((field) => field.toLowerCase() === name);
  }

  /** The creation context and baggage of a message. Never throws for what a message holds; a throwing propagator passes through. */
  extract<M>(message: M, reader: MessageReader<M>): Incoming {
    const found = this.isPlainW3c ? this.extractW3c(message, reader) : this.extractAny(message, reader);
    if (found.creation !== undefined || reader.otherContext === undefined) return found;
    const other = reader.otherContext(message);
    return other === undefined ? found : { ...found, creation: other.spanContext, linkOnly: other.linkOnly };
  }

  /** What a message brought along, over a context of the application's; its span is of no use to the caller. */
  extractOver<M>(context: Context, message: M, reader: MessageReader<M>, { context: found }: Incoming): Context {
    if (found === undefined) return context;
    // A propagator of the user's may read more than baggage: over the context that all of it is wanted in.
    if (!this.isPlainW3c) return this.propagator.extract(context, message, reader as TextMapGetter<M>);
    const baggage = propagationApi.getBaggage(found);
    return baggage === undefined ? context : propagationApi.setBaggage(context, baggage);
  }

  /**
   * What to write into a message so that it carries the context's span and baggage.
   * @param forwarded whether the message still has the fields of one that was received, baggage included
   */
  inject(context: Context, spanContext: SpanContext, forwarded: boolean): OutgoingContext {
    const stale = forwarded ? this.fields : this.contextFields;
    if (
      this.isPlainW3c &&
      spanContext.traceState === undefined &&
      spanContext.traceId !== INVALID_TRACEID &&
      propagationApi.getBaggage(context) === undefined
    ) {
      return { fields: { traceparent: formatTraceparent(spanContext) }, stale, spanContext };
    }
    const fields: Record<string, string> = {};
    this.propagator.inject(context, fields, recordSetter);
    // What is left of a trace state that came in and was none. It says nothing, and services refuse empty texts.
    if (fields['tracestate'] === '') delete fields['tracestate'];
    return { fields, stale: forwarded ? stale : [...new Set([...stale, ...Object.keys(fields)])], spanContext };
  }

  private extractW3c<M>(message: M, reader: MessageReader<M>): Incoming {
    const traceparent = reader.get(message, 'traceparent');
    if (traceparent !== undefined && reader.hasOnly?.(message, 'traceparent')) {
      const creation = parseTraceparent(traceparent);
      if (creation !== undefined) return { creation };
    }
    const hasBaggage = reader.get(message, 'baggage') !== undefined;
    if (!hasBaggage) {
      if (traceparent === undefined) return NOTHING;
      if (reader.get(message, 'tracestate') === undefined) {
        const creation = parseTraceparent(traceparent);
        if (creation !== undefined) return { creation };
      }
    }
    return this.extractAny(message, reader);
  }

  private extractAny<M>(message: M, reader: MessageReader<M>): Incoming {
    const { fields } = this;
    if (fields.length > 0 && fields.every((field) => reader.get(message, field) === undefined)) return NOTHING;
    // On top of the root: over the active context a message without fields would seem to carry the ambient span.
    const context = this.propagator.extract(ROOT_CONTEXT, message, reader as TextMapGetter<M>);
    const creation = trace.getSpanContext(context);
    return { creation: creation && trace.isSpanContextValid(creation) ? creation : undefined, context };
  }
}

const W3C_FIELDS = new Set(['traceparent', 'tracestate', 'baggage']);
const recordSetter = {
  set(fields: Record<string, string>, key: string, value: string): void {
    fields[key] = value;
  },
};
const recordGetter: TextMapGetter<Record<string, string>> = {
  get: (fields, key) => fields[key],
  keys: (fields) => Object.keys(fields),
};

/** Whether the propagator writes and reads just what the short cuts above do. By behaviour: names prove nothing. */
function behavesAsW3c(propagator: TextMapPropagator): boolean {
  try {
    return [0, 1].every((traceFlags) => roundTrips(propagator, traceFlags));
  } catch {
    return false; // what it makes of real messages is another matter
  }
}

function roundTrips(propagator: TextMapPropagator, traceFlags: number): boolean {
  const spanContext = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags };
  const written: Record<string, string> = {};
  propagator.inject(trace.setSpanContext(ROOT_CONTEXT, spanContext), written, recordSetter);
  const traceparent = formatTraceparent(spanContext);
  if (Object.keys(written).length !== 1 || written['traceparent'] !== traceparent) return false;
  const read = trace.getSpanContext(propagator.extract(ROOT_CONTEXT, { traceparent }, recordGetter));
  return read?.traceId === spanContext.traceId && read.spanId === spanContext.spanId && read.traceFlags === traceFlags;
}
