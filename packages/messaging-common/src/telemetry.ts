/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Context, DiagLogger } from '@opentelemetry/api';
import type { Logger } from '@opentelemetry/api-logs';
import { BatchProcessOperation, type BatchSetting } from './batch-process-operation';
import type { Incoming } from './carrier';
import type { ResolvedConfig } from './config';
import { errorType, guard, report } from './errors';
import type { LagSource } from './lag-gauge';
import type { Learned, MessageReader, MessageWriter, OperationFacts } from './operation';
import { propagation, trace } from './otel';
import { countAttributes, OperationPlan } from './plan';
import { ProcessOperation } from './process-operation';
import { ReceiveOperation } from './receive-operation';
import { BatchSendOperation, SendOperation } from './send-operation';
import { type Settled, SettleOperation } from './settle-operation';
import { Signals } from './signals';
import { Spans } from './spans';

const NOTHING: Incoming = {};

/**
 * Decides what is recorded: every span, link, metric and context of an instrumentation starts here.
 * The `start…` methods return undefined when nothing is to be recorded, or when something of ours failed: the caller
 * then calls the client as if we were not there.
 */
export class Telemetry {
  readonly signals: Signals;
  readonly spans: Spans;
  /** Set by `disable()`; clients that were patched while it was on stay silent too. */
  isEnabled = true;

  constructor(
    scopeName: string,
    scopeVersion: string,
    private resolved: ResolvedConfig,
    readonly diag: DiagLogger,
    logger: () => Logger,
  ) {
    this.signals = new Signals(scopeName, scopeVersion, diag);
    this.spans = new Spans(this.signals, resolved, diag, logger);
  }

  get config(): ResolvedConfig {
    return this.resolved;
  }

  /** Plans made before keep the old configuration; clients drop theirs. */
  configure(config: ResolvedConfig): void {
    this.resolved = config;
    this.spans.configure(config);
  }

  /** Whether a call is worth describing at all; false costs next to nothing. */
  isOn(): boolean {
    return this.isEnabled && this.signals.areOn();
  }

  /**
   * What an operation on one destination always records; to be kept and used again.
   * @param learned what the facts do not say yet; for those who make a new plan once they do
   */
  plan(facts: OperationFacts, learned?: Learned): OperationPlan {
    return new OperationPlan(this.withTemplate(facts), this.resolved, learned);
  }

  startSend<M>(plan: OperationPlan, message: M, writer: MessageWriter<M>): SendOperation<M> | undefined {
    try {
      return new SendOperation(this, plan, message, writer);
    } catch (error) {
      return this.failed('start a send span', error);
    }
  }

  startBatchSend<M>(
    plan: OperationPlan,
    messages: readonly M[],
    writer: MessageWriter<M>,
    createPlan: (index: number) => OperationPlan,
  ): BatchSendOperation<M> | undefined {
    try {
      return new BatchSendOperation(this, plan, messages, writer, createPlan);
    } catch (error) {
      return this.failed('start a send span', error);
    }
  }

  /** One message handed to a callback of the application. */
  startProcess<M>(plan: OperationPlan, message: M, reader: MessageReader<M>): ProcessOperation<M> | undefined {
    try {
      return ProcessOperation.pushed(this, plan, message, reader);
    } catch (error) {
      return this.failed('start a process span', error);
    }
  }

  /** Several messages handed to one callback of the application. */
  startBatchProcess<M extends object>(
    plan: OperationPlan,
    messages: M[],
    reader: MessageReader<M>,
    messagePlan: OperationPlan,
    setting?: BatchSetting,
  ): BatchProcessOperation | undefined {
    try {
      return new BatchProcessOperation(this, plan, messages, reader, messagePlan, setting);
    } catch (error) {
      return this.failed('start a process span', error);
    }
  }

  /** A call by which the application asks for messages. */
  startReceive(plan: OperationPlan): ReceiveOperation | undefined {
    try {
      return new ReceiveOperation(this, plan);
    } catch (error) {
      return this.failed('start a receive span', error);
    }
  }

  /** A call that settles messages; undefined also where no spans are made of those. */
  startSettle(plan: OperationPlan, settled: Settled): SettleOperation | undefined {
    if (!this.resolved.settleSpans) return undefined;
    try {
      return new SettleOperation(this, plan, settled);
    } catch (error) {
      return this.failed('start a settle span', error);
    }
  }

  /** What a message brought along; nothing if the propagator throws. */
  extract<M>(message: M, reader: MessageReader<M>): Incoming {
    const { carrier } = this.signals;
    if (carrier === undefined) return NOTHING;
    try {
      return carrier.extract(message, reader);
    } catch (error) {
      report(this.diag, 'read the context of a message', error);
      return NOTHING;
    }
  }

  /** The context for code that handles a message outside of any span of ours: its creation context and baggage. */
  handlerContext(plan: OperationPlan, incoming: Incoming, ambient: Context): Context {
    if (!plan.isTrusted || incoming.linkOnly === true) return ambient;
    const baggage = incoming.context && propagation.getBaggage(incoming.context);
    const base = baggage === undefined ? ambient : propagation.setBaggage(ambient, baggage);
    return incoming.creation === undefined ? base : trace.setSpanContext(base, incoming.creation);
  }

  /**
   * Records the time between send and delivery; milliseconds, zero where the sender's clock is ahead.
   * @param nowMs milliseconds since the epoch; the same for all messages of a batch
   */
  recordQueueTime<M>(plan: OperationPlan, message: M, reader: MessageReader<M>, nowMs?: number): number | undefined {
    if (reader.sentAtMs === undefined) return undefined;
    try {
      const sentAtMs = reader.sentAtMs(message);
      if (sentAtMs === undefined || !(sentAtMs > 0)) return undefined;
      const latencyMs = (nowMs ?? Date.now()) - sentAtMs;
      const { instruments } = this.signals;
      if (instruments !== undefined) plan.metricsIn(instruments).recordTransit(latencyMs);
      return Math.max(0, latencyMs);
    } catch (error) {
      report(this.diag, 'read when a message was sent', error);
      return undefined;
    }
  }

  recordDuration(plan: OperationPlan, durationMs: number, errorType?: string): void {
    const { instruments } = this.signals;
    if (instruments === undefined) return;
    const seconds = Math.max(0, durationMs) / 1000;
    if (errorType === undefined) plan.metricsIn(instruments).duration.record(seconds);
    else instruments.durationOf(plan.facts.type).record(seconds, plan.metricAttributesOf(errorType));
  }

  countMessages(plan: OperationPlan, count: number, errorType?: string): void {
    const { instruments } = this.signals;
    if (instruments === undefined || count === 0) return;
    if (errorType === undefined) plan.metricsIn(instruments).messages.count += count;
    else {
      const attributes = countAttributes(plan.metricAttributesOf(errorType));
      instruments.messageCounterOf(plan.facts.type).seriesOf(attributes).count += count;
    }
  }

  /** How many records of the plan's partition are yet to be handled; undefined for one that is not ours any more. */
  recordLag(plan: OperationPlan, records: number | undefined): void {
    if (records === undefined) this.signals.instruments?.lag.forget(plan);
    else if (this.isOn()) this.signals.instruments?.lag.set(plan, Math.max(0, records));
  }

  /** The same by a source that is asked at each collection; false where there are no metrics. */
  followLag(plan: OperationPlan, source: LagSource): boolean {
    const { instruments } = this.signals;
    instruments?.lag.set(plan, source);
    return instruments !== undefined;
  }

  /** A message that was sent has come back; its span may have ended long ago. */
  countReturned(plan: OperationPlan, error: Error): void {
    this.signals.instruments?.returned.add(1, plan.metricAttributesOf(errorType(error)));
  }

  guard<T>(what: string, fallback: T, code: () => T): T {
    return guard(this.diag, what, fallback, code);
  }

  report(what: string, error: unknown): void {
    report(this.diag, what, error);
  }

  private withTemplate(facts: OperationFacts): OperationFacts {
    const { destinationTemplate } = this.resolved;
    if (destinationTemplate === undefined) return facts;
    const template = this.guard('find a destination template', undefined, () => destinationTemplate(facts));
    if (typeof template !== 'string' || template === '') return facts;
    return { ...facts, destination: { ...facts.destination, template } };
  }

  private failed(what: string, error: unknown): undefined {
    report(this.diag, what, error);
    return undefined;
  }
}
