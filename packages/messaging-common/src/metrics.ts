/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes, Counter, Histogram, Meter, MeterProvider } from '@opentelemetry/api';
import { LagGauge } from './lag-gauge';
import type { OperationType } from './operation';
import * as semconv from './semconv';

/** Messages counted under one set of attributes; a plain number, since `Counter.add` costs a third of a span. */
export class Series {
  count = 0;
  constructor(readonly attributes: Attributes) {}
}

/** Attribute sets per instrument beyond which everything is counted in one overflow series, as SDKs do by default. */
const MAX_SERIES = 2000;

/** The instruments of one meter. */
export class Instruments {
  readonly operationDuration: Histogram;
  readonly processDuration: Histogram;
  readonly queueDuration: Histogram;
  readonly returned: Counter;
  readonly sent: MessageCounter;
  readonly consumed: MessageCounter;
  readonly injections: MessageCounter;
  readonly clockSkew: MessageCounter;
  private lagGauge: LagGauge | undefined;

  constructor(private readonly meter: Meter) {
    this.operationDuration = durationHistogram(
      meter,
      semconv.METRIC_MESSAGING_CLIENT_OPERATION_DURATION,
      'Duration of messaging operation initiated by a producer or consumer client.',
    );
    this.processDuration = durationHistogram(
      meter,
      semconv.METRIC_MESSAGING_PROCESS_DURATION,
      'Duration of processing operation.',
    );
    this.queueDuration = durationHistogram(
      meter,
      semconv.METRIC_MESSAGING_MESSAGE_QUEUE_DURATION,
      'Time between the sending of a message and its delivery to the application.',
    );
    this.returned = meter.createCounter(semconv.METRIC_MESSAGING_CLIENT_RETURNED_MESSAGES, {
      unit: '{message}',
      description: 'Number of messages that the broker returned to the producer.',
    });
    this.sent = new MessageCounter(
      meter,
      semconv.METRIC_MESSAGING_CLIENT_SENT_MESSAGES,
      'Number of messages producer attempted to send to the broker.',
    );
    this.consumed = new MessageCounter(
      meter,
      semconv.METRIC_MESSAGING_CLIENT_CONSUMED_MESSAGES,
      'Number of messages that were delivered to the application.',
    );
    this.injections = new MessageCounter(
      meter,
      semconv.METRIC_MESSAGING_MESSAGE_INJECTIONS,
      'Number of messages by how much of a context there was room for.',
    );
    this.clockSkew = new MessageCounter(
      meter,
      semconv.METRIC_MESSAGING_MESSAGE_CLOCK_SKEW,
      "Number of messages that were sent in the future of this machine's clock.",
    );
  }

  /** Counts the messages that operations of this type send, or take. */
  messageCounterOf(type: OperationType): MessageCounter {
    return type === 'send' || type === 'create' ? this.sent : this.consumed;
  }

  /** Measures how long operations of this type take. */
  durationOf(type: OperationType): Histogram {
    return type === 'process' ? this.processDuration : this.operationDuration;
  }

  /** Made on first use: most systems have no such thing. */
  get lag(): LagGauge {
    this.lagGauge ??= new LagGauge(this.meter);
    return this.lagGauge;
  }
}

const known = new WeakMap<MeterProvider, Map<string, Instruments>>();

/**
 * The provider's one set of instruments for a scope. Shared by all instrumentations of that scope, and kept while the
 * provider is: a second observable counter of the same name would not add to the first but overwrite it.
 */
export function instrumentsOf(provider: MeterProvider, scopeName: string, scopeVersion: string): Instruments {
  const scopes = known.get(provider) ?? new Map<string, Instruments>();
  known.set(provider, scopes);
  const scope = `${scopeName}@${scopeVersion}`;
  const existing = scopes.get(scope);
  if (existing !== undefined) return existing;
  const added = new Instruments(provider.getMeter(scopeName, scopeVersion));
  scopes.set(scope, added);
  return added;
}

/** A counter of messages that the SDK reads when it collects. */
export class MessageCounter {
  private readonly series = new Map<string, Series>();

  constructor(meter: Meter, name: string, description: string) {
    meter.createObservableCounter(name, { unit: '{message}', description }).addCallback((result) => {
      for (const { count, attributes } of this.series.values()) if (count > 0) result.observe(count, attributes);
    });
  }

  /** The series of these attributes, the same one for equal attributes. */
  seriesOf(attributes: Attributes): Series {
    const key = JSON.stringify(attributes);
    const existing = this.series.get(key);
    if (existing !== undefined) return existing;
    if (this.series.size >= MAX_SERIES) return this.overflow();
    const added = new Series(attributes);
    this.series.set(key, added);
    return added;
  }

  private overflow(): Series {
    const existing = this.series.get('overflow');
    if (existing !== undefined) return existing;
    const added = new Series({ [semconv.ATTR_OTEL_METRIC_OVERFLOW]: true });
    this.series.set('overflow', added);
    return added;
  }
}

function durationHistogram(meter: Meter, name: string, description: string): Histogram {
  return meter.createHistogram(name, {
    unit: 's',
    description,
    advice: { explicitBucketBoundaries: semconv.DURATION_BUCKETS_S },
  });
}
