/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

/**
 * @typedef {object} Span
 * @property {string} traceId
 * @property {string} spanId
 * @property {string | undefined} parentSpanId
 * @property {string} service
 * @property {string} name
 * @property {'INTERNAL' | 'SERVER' | 'CLIENT' | 'PRODUCER' | 'CONSUMER'} kind
 * @property {number} startMs milliseconds since 1970, with fractions
 * @property {number} endMs
 * @property {Record<string, unknown>} attributes
 * @property {{ traceId: string, spanId: string, attributes: Record<string, unknown> }[]} links
 * @property {{ name: string, atMs: number, attributes: Record<string, unknown> }[]} events
 * @property {string | undefined} error what went wrong, if the span failed
 * @property {string} scope the instrumentation that made it
 */

const KINDS = ['INTERNAL', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];
const STATUS_ERROR = 2;

/** The spans of one OTLP export request in its JSON form. @returns {Span[]} */
function spansOf(request) {
  return (request.resourceSpans ?? []).flatMap(({ resource, scopeSpans }) => {
    const service = String(attributesOf(resource?.attributes)['service.name'] ?? 'unknown');
    return (scopeSpans ?? []).flatMap(({ scope, spans }) =>
      (spans ?? []).map((span) => spanOf(span, service, scope?.name ?? '')),
    );
  });
}

function spanOf(span, service, scope) {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId || undefined,
    service,
    name: span.name,
    kind: KINDS[span.kind] ?? 'INTERNAL',
    startMs: milliseconds(span.startTimeUnixNano),
    endMs: milliseconds(span.endTimeUnixNano),
    attributes: attributesOf(span.attributes),
    links: (span.links ?? []).map(({ traceId, spanId, attributes }) => ({
      traceId,
      spanId,
      attributes: attributesOf(attributes),
    })),
    events: (span.events ?? []).map(({ name, timeUnixNano, attributes }) => ({
      name,
      atMs: milliseconds(timeUnixNano),
      attributes: attributesOf(attributes),
    })),
    error: span.status?.code === STATUS_ERROR ? span.status.message || 'failed' : undefined,
    scope,
  };
}

const attributesOf = (attributes = []) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));

function plainValue(value = {}) {
  if ('intValue' in value) return Number(value.intValue);
  if ('arrayValue' in value) return (value.arrayValue.values ?? []).map(plainValue);
  if ('kvlistValue' in value) return attributesOf(value.kvlistValue.values);
  return value.stringValue ?? value.boolValue ?? value.doubleValue ?? value.bytesValue;
}

/** Nanoseconds as text do not fit a double; the microsecond that is left after the division does. */
const milliseconds = (nanoseconds) => Number(BigInt(nanoseconds) / 1_000n) / 1_000;

module.exports = { spansOf };
