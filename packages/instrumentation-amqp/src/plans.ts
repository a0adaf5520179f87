/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { BoundedMap, type OperationFacts, type OperationPlan, type Telemetry } from '@otel-messaging/messaging-common';

/** Routing keys may be made up at run time. */
const MAX_PLANS = 1000;

/** The plans of one kind of operation, by exchange and routing key. */
export class Plans {
  private readonly plans = new BoundedMap<string, OperationPlan>(MAX_PLANS);
  private config: unknown;
  // Most channels use one destination, one call after the other.
  private lastExchange: string | undefined;
  private lastRoutingKey: string | undefined;
  private last: OperationPlan | undefined;

  constructor(
    private readonly telemetry: Telemetry,
    private readonly facts: (exchange: string, routingKey: string) => OperationFacts,
  ) {}

  for(exchange: string, routingKey: string): OperationPlan {
    if (this.config !== this.telemetry.config) this.forgetAll();
    if (this.last !== undefined && this.lastRoutingKey === routingKey && this.lastExchange === exchange) {
      return this.last;
    }
    const key = `${exchange}\n${routingKey}`;
    const plan = this.plans.get(key) ?? this.plans.add(key, this.telemetry.plan(this.facts(exchange, routingKey)));
    this.lastExchange = exchange;
    this.lastRoutingKey = routingKey;
    this.last = plan;
    return plan;
  }

  /** Options have changed, and plans hold what follows from them. */
  private forgetAll(): void {
    this.plans.clear();
    this.last = undefined;
    this.config = this.telemetry.config;
  }
}
