/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes } from '@opentelemetry/api';
import { detailAttributes, metricAttributes, operationAttributes, transitAttributes } from './attributes';
import { BoundedMap } from './bounded-map';
import type { ResolvedConfig } from './config';
import { spanName } from './conventions';
import type { Instruments, MessageCounter, Series } from './metrics';
import type { Learned, OperationFacts } from './operation';
import { isObservable } from './promises';
import { ATTR_ERROR_TYPE, ATTR_MESSAGING_OPERATION_TYPE } from './semconv';

/**
 * All that can be known of an operation before it happens, computed once per destination: span name, attributes, the
 * metric series it counts into. Clients keep plans in bounded maps and hand the same one in for every message.
 */
export class OperationPlan {
  readonly spanName: string;
  /** What a span starts with; shared by all spans of the plan, SDKs copy it. */
  readonly attributes: Attributes;
  /** What it has besides, given after its start. */
  readonly details: Attributes | undefined;
  readonly metricAttributes: Attributes;
  /** Of the metrics about the time that its messages were on their way. */
  readonly transitAttributes: Attributes;
  readonly isTrusted: boolean;

  private readonly failures = new BoundedMap<string, Attributes>(50);
  private counters: { readonly instruments: Instruments; readonly series: Series } | undefined;

  constructor(
    readonly facts: OperationFacts,
    config: ResolvedConfig,
    /** Absent where all is known from the start. */
    readonly learned?: Learned,
  ) {
    this.spanName = spanName(facts);
    this.attributes = operationAttributes(facts, config.semconv);
    this.details = detailAttributes(facts);
    this.metricAttributes = metricAttributes(facts, facts.type !== 'process');
    this.transitAttributes = transitAttributes(facts);
    this.isTrusted = isTrusted(config.trustIncoming, facts.destination?.name);
  }

  metricAttributesOf(errorType: string | undefined): Attributes {
    if (errorType === undefined) return this.metricAttributes;
    return (
      this.failures.get(errorType) ??
      this.failures.add(errorType, { ...this.metricAttributes, [ATTR_ERROR_TYPE]: errorType })
    );
  }

  /** Counts messages sent, or delivered, by this operation. */
  count(instruments: Instruments, messages: number, errorType?: string): void {
    if (errorType !== undefined) {
      this.counterOf(instruments).seriesOf(countAttributes(this.metricAttributesOf(errorType))).count += messages;
      return;
    }
    if (this.counters?.instruments !== instruments) {
      const series = this.counterOf(instruments).seriesOf(countAttributes(this.metricAttributes));
      this.counters = { instruments, series };
    }
    this.counters.series.count += messages;
  }

  private counterOf(instruments: Instruments): MessageCounter {
    return this.facts.type === 'send' || this.facts.type === 'create' ? instruments.sent : instruments.consumed;
  }
}

/** Message counters have no operation type: the instrument's name says it. */
export function countAttributes(attributes: Attributes): Attributes {
  const { [ATTR_MESSAGING_OPERATION_TYPE]: _, ...rest } = attributes;
  return rest;
}

/** A predicate that throws, or has no answer yet, trusts nobody: the safe side for a trace that strangers can write into. */
function isTrusted(trust: ResolvedConfig['trustIncoming'], destination: string | undefined): boolean {
  if (typeof trust !== 'function') return trust;
  try {
    const answer: unknown = trust(destination);
    if (!isObservable(answer)) return answer !== false;
    answer.then(undefined, () => {});
    return false;
  } catch {
    return false;
  }
}
