/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes } from '@opentelemetry/api';
import { detailAttributes, metricAttributes, operationAttributes, transitAttributes } from './attributes';
import { BoundedMap } from './bounded-map';
import type { ResolvedConfig } from './config';
import { spanName } from './conventions';
import { Measurements } from './measurements';
import type { Instruments, Series } from './metrics';
import type { Learned, OperationFacts } from './operation';
import { isObservable } from './promises';
import { ATTR_ERROR_TYPE, ATTR_MESSAGING_OPERATION_TYPE } from './semconv';
import { PlanContents } from './span-contents';

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
  /** Both, for a span of which nobody sees the start. */
  readonly contents: PlanContents;
  readonly metricAttributes: Attributes;
  /** Of the metrics about the time that its messages were on their way. */
  readonly transitAttributes: Attributes;
  readonly isTrusted: boolean;

  private readonly failures = new BoundedMap<string, Attributes>(50);
  private measured: PlanMetrics | undefined;

  constructor(
    readonly facts: OperationFacts,
    config: ResolvedConfig,
    /** Absent where all is known from the start. */
    readonly learned?: Learned,
  ) {
    this.spanName = spanName(facts);
    this.attributes = operationAttributes(facts, config.semconv);
    this.details = detailAttributes(facts);
    this.contents = new PlanContents({ ...this.attributes, ...this.details });
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

  /** The plan's series of these instruments. */
  metricsIn(instruments: Instruments): PlanMetrics {
    if (this.measured?.instruments !== instruments) this.measured = new PlanMetrics(this, instruments);
    return this.measured;
  }
}

/** What a plan's operations are counted and measured by, where they do not fail; each made on first use. */
export class PlanMetrics {
  private counted: Series | undefined;
  private timed: Measurements | undefined;
  private queued: Measurements | undefined;
  private skewed: Series | undefined;

  constructor(
    private readonly plan: OperationPlan,
    readonly instruments: Instruments,
  ) {}

  /** Messages sent, or delivered. */
  get messages(): Series {
    const { plan, instruments } = this;
    this.counted ??= instruments.messageCounterOf(plan.facts.type).seriesOf(countAttributes(plan.metricAttributes));
    return this.counted;
  }

  /** Seconds that operations took. */
  get duration(): Measurements {
    const { plan, instruments } = this;
    this.timed ??= new Measurements(instruments.durationOf(plan.facts.type), plan.metricAttributes);
    return this.timed;
  }

  /** @param latencyMs between send and delivery; below zero where the sender's clock is ahead */
  recordTransit(latencyMs: number): void {
    const { plan, instruments } = this;
    if (latencyMs < 0) {
      this.skewed ??= instruments.clockSkew.seriesOf(plan.transitAttributes);
      this.skewed.count++;
    }
    this.queued ??= new Measurements(instruments.queueDuration, plan.transitAttributes);
    this.queued.record(Math.max(0, latencyMs) / 1000);
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
