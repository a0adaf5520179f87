/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type Context, context as contextApi, type SpanContext } from '@opentelemetry/api';
import type { Incoming } from './carrier';
import type { MessageReader, Settlement } from './operation';
import type { OperationPlan } from './plan';
import { ProcessOperation } from './process-operation';
import type { Telemetry } from './telemetry';

/** What the messages of one batch have in common. */
export interface DeliveredBatch<M> {
  readonly telemetry: Telemetry;
  /** Plan of the `process` span of each message. */
  readonly plan: OperationPlan;
  readonly reader: MessageReader<M>;
  /** Span of the call, or of the callback, that delivered the batch. */
  receiveSpan?: SpanContext;
  /** Whether a span was made for any message of its own. */
  hasProcessed: boolean;
}

/** One message of a batch, as delivered; does not hold the message, so that it may be kept for a late settlement. */
export class Delivery<M = unknown> {
  private operation: ProcessOperation<M> | undefined;

  constructor(
    readonly batch: DeliveredBatch<M>,
    readonly incoming: Incoming,
    readonly latencyMs: number | undefined,
  ) {}

  /** The creation context of the message. */
  get creation(): SpanContext | undefined {
    return this.incoming.creation;
  }

  /** Begins the handling of the message; undefined if a pass over the batch has handled it before. */
  begin(message: M): ProcessOperation<M> | undefined {
    const { telemetry } = this.batch;
    if (this.operation?.hasStarted() || !telemetry.isOn()) return undefined;
    this.operation = ProcessOperation.pulled(telemetry, this, message, contextApi.active());
    return this.operation;
  }

  /** Whether this operation may make the message's one span. */
  claim(operation: ProcessOperation<M>): boolean {
    const { operation: current } = this;
    if (current !== undefined && current !== operation && current.hasStarted()) return false;
    this.operation = operation;
    this.batch.hasProcessed = true;
    return true;
  }

  settle(settlement: Settlement): void {
    this.operation?.settle(settlement);
  }

  /** The context that a handler of the message should run in: that of its span, or the extracted one. */
  contextIn(ambient: Context): Context {
    return this.operation?.context ?? this.batch.telemetry.handlerContext(this.batch.plan, this.incoming, ambient);
  }
}

const deliveries = new WeakMap<object, Delivery>();

/** The delivery that handed this very object to the application. */
export function deliveryOf(message: unknown): Delivery | undefined {
  return typeof message === 'object' && message !== null ? deliveries.get(message) : undefined;
}

/** Reads the contexts and times of delivered messages, and remembers them for as long as the messages live. */
export function deliver<M extends object>(batch: DeliveredBatch<M>, messages: readonly M[]): Delivery<M>[] {
  const { telemetry, plan, reader } = batch;
  return messages.map((message) => {
    const incoming = telemetry.extract(message, reader);
    const delivery = new Delivery(batch, incoming, telemetry.recordQueueTime(plan, message, reader));
    deliveries.set(message, delivery as Delivery);
    return delivery;
  });
}
