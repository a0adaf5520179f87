/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Instruments, Series } from './metrics';
import { countAttributes, type OperationPlan } from './plan';
import { ATTR_MESSAGING_MESSAGE_CARRIER } from './semconv';
import type { Telemetry } from './telemetry';

/** How much of a context a message has room for; each of them is a whole carrier, but `none`. */
export type CarrierKind = 'complete' | 'without_baggage' | 'traceparent' | 'trace_header' | 'none';

/** Counts the messages of one plan by what they carry, in systems where a message may have no room for all of it. */
export class CarrierCounts {
  private instruments: Instruments | undefined;
  private series: Partial<Record<CarrierKind, Series>> = {};

  constructor(
    private readonly telemetry: Telemetry,
    private readonly plan: OperationPlan,
  ) {}

  add(carrier: CarrierKind): void {
    const { instruments } = this.telemetry.signals;
    if (instruments === undefined) return;
    if (instruments !== this.instruments) {
      this.instruments = instruments;
      this.series = {};
    }
    const known = this.series[carrier];
    if (known !== undefined) known.count++;
    else this.addFirst(instruments, carrier);
  }

  private addFirst({ injections }: Instruments, carrier: CarrierKind): void {
    const attributes = { ...countAttributes(this.plan.metricAttributes), [ATTR_MESSAGING_MESSAGE_CARRIER]: carrier };
    const series = injections.seriesOf(attributes);
    this.series[carrier] = series;
    series.count++;
  }
}
