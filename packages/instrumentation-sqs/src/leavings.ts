/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  BoundedMap,
  CarrierCounts,
  type CarrierKind,
  type OperationPlan,
  type Telemetry,
} from '@otel-messaging/messaging-common';

/**
 * Notes how much of a context messages to one place leave with: a metric for all, and a warning, once, for those that can
 * carry nothing.
 * @param plan of the operation that sends them
 */
export function leavings(
  telemetry: Telemetry,
  plan: () => OperationPlan,
  name: string | undefined,
): (carrier: CarrierKind) => void {
  let counts: CarrierCounts | undefined;
  return (carrier) => {
    counts ??= new CarrierCounts(telemetry, plan());
    counts.add(carrier);
    if (carrier === 'none') warn(telemetry, name ?? '', reasonIn(telemetry));
  };
}

function warn({ diag }: Telemetry, name: string, reason: string): void {
  if (warned.get(name)) return;
  warned.add(name, true);
  diag.warn(
    `no context in a message to ${name}: ${reason}. Its consumer starts a new trace. Said once per destination.`,
  );
}

function reasonIn({ signals }: Telemetry): string {
  return (signals.carrier?.fields ?? []).length === 0
    ? 'no propagator is registered'
    : 'it has ten attributes or is as large as it may be, and has no place for AWSTraceHeader';
}

/** Places that a message without room was sent to. */
const warned = new BoundedMap<string, boolean>(1000);
