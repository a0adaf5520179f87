/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type Attributes, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { MetricData } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { LINK_MAY, METRICS, NUMBERS, rowOf } from './table';

const DURATION_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** What is wrong with a span of ours, by name; nothing for a correct one. */
export function spanProblems(span: ReadableSpan): string[] {
  const { attributes } = span;
  const system = attributes['messaging.system.name'];
  const type = attributes['messaging.operation.type'];
  const row = rowOf(system, type);
  const title = `span '${span.name}' (${String(system)} ${String(type)})`;
  if (row === undefined) return [`${title}: no such operation in the contract`];
  const problems = [
    ...missing(attributes, row.must),
    ...foreign(attributes, [...row.must, ...row.may]),
    ...Object.entries(attributes).flatMap(([key, value]) => valueProblem(key, value)),
    ...span.links.flatMap((link) => foreign(link.attributes ?? {}, LINK_MAY).map((problem) => `link: ${problem}`)),
  ];
  if (!row.kinds.includes(span.kind)) problems.push(`kind is ${SpanKind[span.kind]}`);
  const operation = String(attributes['messaging.operation.name']);
  if (!row.names.includes(operation)) problems.push(`operation name is '${operation}'`);
  if (span.name !== operation && !span.name.startsWith(`${operation} `)) problems.push(`name is not '${operation} …'`);
  const isFailed = span.status.code === SpanStatusCode.ERROR;
  if (span.status.code === SpanStatusCode.OK) problems.push('status is OK; a success stays UNSET');
  if (isFailed !== 'error.type' in attributes) problems.push('error.type and an ERROR status go together');
  return problems.map((problem) => `${title}: ${problem}`);
}

/** What is wrong with a metric of ours. */
export function metricProblems({ descriptor, dataPoints }: MetricData): string[] {
  const title = `metric ${descriptor.name}`;
  const row = METRICS[descriptor.name];
  if (row === undefined) return [`${title}: not in the contract`];
  const problems = descriptor.unit === row.unit ? [] : [`unit is '${descriptor.unit}'`];
  for (const { attributes, value } of dataPoints) {
    problems.push(...missing(attributes, row.must), ...foreign(attributes, [...row.must, ...row.may]));
    if (typeof value === 'object' && 'buckets' in value) {
      const { boundaries } = value.buckets;
      if (String(boundaries) !== String(DURATION_BUCKETS_S)) problems.push(`buckets are ${boundaries}`);
    } else if (row.unit === 's') problems.push('a duration is a histogram');
  }
  return [...new Set(problems)].map((problem) => `${title}: ${problem}`);
}

function missing(attributes: Attributes, must: readonly string[]): string[] {
  return must.filter((key) => attributes[key] === undefined).map((key) => `${key} is missing`);
}

function foreign(attributes: Attributes, known: readonly string[]): string[] {
  return Object.keys(attributes)
    .filter((key) => !known.includes(key) && !key.startsWith('messaging.header.'))
    .map((key) => `${key} does not belong there`);
}

function valueProblem(key: string, value: unknown): string[] {
  if (value === '' || value === undefined || value === null) return [`${key} is empty`];
  const isNumber = typeof value === 'number';
  if (isNumber !== NUMBERS.includes(key)) return [`${key} is a ${typeof value}`];
  return isNumber && !Number.isSafeInteger(value) ? [`${key} is no integer`] : [];
}
