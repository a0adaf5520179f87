/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes, Meter } from '@opentelemetry/api';
import type { OperationPlan } from './plan';
import {
  ATTR_MESSAGING_OPERATION_NAME,
  ATTR_MESSAGING_OPERATION_TYPE,
  METRIC_KAFKA_CONSUMER_RECORDS_LAG,
} from './semconv';

/** Half of what SDKs keep of one instrument by default, since they also keep those that are gone. */
const MAX_PARTITIONS = 1000;

/** Tells a partition's lag when it is asked, at each collection. */
export interface LagSource {
  /** Undefined where the partition is not ours any more; must not throw. */
  records(): number | undefined;
}

interface Reading {
  records: number | LagSource;
  isGone: boolean;
  readonly attributes: Attributes;
}

/**
 * How many records consumers have yet to handle, by partition. A partition that has gone to another process goes on as
 * zero here: SDKs repeat the last value of a series that is no longer observed.
 */
export class LagGauge {
  private readonly readings = new Map<OperationPlan, Reading>();

  constructor(meter: Meter) {
    meter
      .createObservableGauge(METRIC_KAFKA_CONSUMER_RECORDS_LAG, {
        unit: '{record}',
        description: 'Records of a partition that the consumer has yet to handle.',
      })
      .addCallback((result) => {
        for (const reading of this.readings.values()) result.observe(recordsOf(reading), reading.attributes);
      });
  }

  /** @param plan that of processing the partition's messages; the same object each time */
  set(plan: OperationPlan, records: number | LagSource): void {
    const reading = this.readings.get(plan);
    if (reading?.isGone === false) {
      reading.records = records;
      return;
    }
    // Last in the order of observation: of two consumers of this process that had the partition, the one that has it counts.
    this.readings.delete(plan);
    if (this.hasRoom()) this.readings.set(plan, { records, isGone: false, attributes: attributesOf(plan) });
  }

  forget(plan: OperationPlan): void {
    const reading = this.readings.get(plan);
    if (reading === undefined) return;
    reading.records = 0;
    reading.isGone = true;
  }

  private hasRoom(): boolean {
    if (this.readings.size < MAX_PARTITIONS) return true;
    for (const [plan, { isGone }] of this.readings) if (isGone) this.readings.delete(plan);
    return this.readings.size < MAX_PARTITIONS;
  }
}

function recordsOf(reading: Reading): number {
  if (typeof reading.records === 'number') return reading.records;
  const records = reading.records.records();
  if (records !== undefined) return records;
  reading.records = 0;
  reading.isGone = true;
  return 0;
}

/** Those of the plan's metrics, without the operation: a lag is of none. */
function attributesOf({ metricAttributes }: OperationPlan): Attributes {
  const { [ATTR_MESSAGING_OPERATION_NAME]: _, [ATTR_MESSAGING_OPERATION_TYPE]: __, ...rest } = metricAttributes;
  return rest;
}
