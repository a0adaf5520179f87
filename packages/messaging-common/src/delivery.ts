/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes, Context, SpanContext } from '@opentelemetry/api';
import type { Incoming } from './carrier';
import { Given } from './given';
import type { Delivered } from './message-operation';
import type { MessageOutcome, MessageReader, Settlement } from './operation';
import { contexts, trace } from './otel';
import type { OperationPlan } from './plan';
import { ProcessOperation } from './process-operation';
import type { Telemetry } from './telemetry';

/** What the messages of one batch have in common. */
export class DeliveredBatch<M> {
  /** Span of the call, or of the callback, that delivered the batch. */
  receiveSpan: SpanContext | undefined;
  /** Whether a span was made for any message of its own. */
  hasProcessed = false;
  /** Whether nothing more will be known of the messages than what their links have. */
  isDescribed = false;
  /** What the span of each message has besides. */
  common: Attributes | undefined;
  /** Whether spans of messages wait for what becomes of the whole batch. */
  isHolding = false;

  /** Both clocks, read at one moment, so that they need not both be read for each message. */
  private epochMs = Date.now();

  /**
   * @param plan plan of the `process` span of each message
   * @param planFor where messages of one batch have several destinations: the plan for one of them
   * @param steadyMs now, by `performance.now()`
   */
  constructor(
    readonly telemetry: Telemetry,
    readonly plan: OperationPlan,
    readonly reader: MessageReader<M>,
    private readonly planFor?: (message: M) => OperationPlan,
    private steadyMs = performance.now(),
  ) {}

  planOf(message: M): OperationPlan {
    return this.planFor === undefined ? this.plan : this.planFor(message);
  }

  /** When the batch was delivered, or a little later; milliseconds since the epoch. */
  get deliveredEpochMs(): number {
    return this.epochMs;
  }

  /**
   * The wall clock's time of a moment that is now, in milliseconds since the epoch. Handling a batch may take long, and
   * the wall clock be set meanwhile: it is read again after a second.
   * @param steadyMs the moment by `performance.now()`
   */
  epochMsOf(steadyMs: number): number {
    if (steadyMs - this.steadyMs > CLOCK_READING_LASTS_MS) {
      this.steadyMs = steadyMs;
      this.epochMs = Date.now();
    }
    return this.epochMs + (steadyMs - this.steadyMs);
  }
}

const CLOCK_READING_LASTS_MS = 1000;

/** One message of a batch, as delivered; does not hold the message, so that it may be kept for a late settlement. */
export class Delivery<M = unknown> implements Delivered<M> {
  /** What its link to the message has, for the message's own span too. */
  attributes: Attributes | undefined;
  /** Set while the application has the message by its index. */
  taking: { letGo(): void } | undefined;
  private operation: ProcessOperation<M> | undefined;
  private isProcessed = false;
  private processed: SpanContext | undefined;

  constructor(
    readonly batch: DeliveredBatch<M>,
    readonly incoming: Incoming,
    readonly latencyMs: number | undefined,
  ) {}

  /** The operation that handles the message now. */
  get current(): ProcessOperation<M> | undefined {
    return this.operation?.isOver() ? undefined : this.operation;
  }

  get isDescribed(): boolean {
    return this.batch.isDescribed;
  }

  get common(): Attributes | undefined {
    return this.batch.common;
  }

  get reader(): MessageReader<M> {
    return this.batch.reader;
  }

  get receiveSpan(): SpanContext | undefined {
    return this.batch.receiveSpan;
  }

  /** The creation context of the message. */
  get creation(): SpanContext | undefined {
    return this.incoming.creation;
  }

  /** The creation context of the message, where the message belongs to its trace. */
  get home(): SpanContext | undefined {
    const { telemetry, plan } = this.batch;
    const isFollowed = telemetry.config.processParent === 'creation' && plan.isTrusted;
    return isFollowed && this.incoming.linkOnly !== true ? this.incoming.creation : undefined;
  }

  /**
   * Begins the handling of the message; in a second pass over the batch, as a part of the message's one span.
   * @param ambient what is active where the application takes the message
   */
  begin(message: M, ambient: Context = contexts().active()): ProcessOperation<M> | undefined {
    if (!this.batch.telemetry.isOn()) return undefined;
    if (this.taking !== undefined) this.taking.letGo();
    const operation = ProcessOperation.pulled(this, message, ambient);
    if (!this.claimBefore(operation)) this.operation = operation;
    if (this.batch.isHolding) operation.hold();
    return operation;
  }

  /**
   * The batch is over: ends a span that waited for it. A message that failed without one gets it now.
   * @param ambient for that span
   */
  conclude(message: M, outcome: MessageOutcome | undefined, ambient: Context): void {
    if (this.operation !== undefined) this.operation.conclude(outcome);
    else if (outcome?.error !== undefined && !this.isProcessed) this.begin(message, ambient)?.end(outcome);
  }

  claim(operation: ProcessOperation<M>): boolean {
    if (this.claimBefore(operation)) return false;
    this.operation = operation;
    this.batch.hasProcessed = true;
    return true;
  }

  /** What has ended is not kept: the message, and so its delivery, may be kept for long. */
  release(operation: ProcessOperation<M>): void {
    if (this.operation !== operation) return;
    this.operation = undefined;
    this.isProcessed = true;
    this.processed = operation.span?.spanContext();
  }

  settle(settlement: Settlement): void {
    this.operation?.settle(settlement);
    if (this.taking !== undefined) this.taking.letGo();
  }

  /** The message is to come again, unless a settlement follows that says otherwise. */
  retry(): void {
    this.operation?.retry();
  }

  /** The application says that it is done with the message; whether it has a span then, or is in the hands of a walk. */
  isResolved(): boolean {
    const { operation } = this;
    if (this.isProcessed) return true;
    if (operation === undefined || (operation.isOver() && !operation.hasStarted())) return false;
    operation.activeSpan(); // a body that is synchronous has handled it, too
    return true;
  }

  /** The message was handled, from one moment to another. */
  handled(message: M, startedMs: number, endedMs: number, epochMs: number): void {
    ProcessOperation.pulled(this, message, contexts().active()).lasted(startedMs, endedMs, epochMs);
  }

  /** The context that a handler of the message should run in: that of its span, or the extracted one. */
  contextIn(ambient: Context): Context {
    const { operation, processed } = this;
    // A pass that merely read the message has left an operation that must not start for being asked.
    if (operation !== undefined && (operation.hasStarted() || !operation.isOver())) return operation.context;
    const context = this.batch.telemetry.handlerContext(this.batch.plan, this.incoming, ambient);
    return processed === undefined ? context : trace.setSpanContext(context, processed);
  }

  /** Lets the operation join an earlier one that has the message's span; false if there is none. */
  private claimBefore(operation: ProcessOperation<M>): boolean {
    const { operation: current, processed } = this;
    if (current !== undefined && current !== operation && current.hasStarted()) operation.join(current.span);
    else if (this.isProcessed) operation.join(processed && trace.wrapSpanContext(processed));
    else return false;
    return true;
  }
}

/** The delivery that handed this very object to the application. */
export function deliveryOf(message: unknown): Delivery | undefined {
  return typeof message === 'object' && message !== null ? (Mark.on(message) ?? unmarkable.get(message)) : undefined;
}

function remember(message: object, delivery: Delivery): void {
  try {
    Mark.put(message, delivery);
  } catch {
    unmarkable.set(message, delivery);
  }
}

/**
 * A delivery as a private field of its message: seen by nobody, in no copy, there on frozen objects too, and twenty times
 * cheaper than an entry of a WeakMap, which the garbage collector has to visit for each message.
 */
class Mark extends Given {
  #delivery: Delivery;

  private constructor(message: object, delivery: Delivery) {
    super(message);
    this.#delivery = delivery;
  }

  static on(message: object): Delivery | undefined {
    return #delivery in message ? message.#delivery : undefined;
  }

  static put(message: object, delivery: Delivery): void {
    if (#delivery in message) message.#delivery = delivery;
    else new Mark(message, delivery);
  }
}

/** Where a language to come refuses private fields to frozen objects. */
const unmarkable = new WeakMap<object, Delivery>();

/** Reads the contexts and times of delivered messages, and remembers them for as long as the messages live. */
export function deliver<M extends object>(batch: DeliveredBatch<M>, messages: readonly M[]): Delivery<M>[] {
  const { telemetry, reader } = batch;
  const nowMs = batch.deliveredEpochMs;
  const delivered: Delivery<M>[] = [];
  // By index: an array that was delivered before, by another client, has an iteration that means something.
  for (let i = 0; i < messages.length; i++) {
    const message = messages[i] as M;
    const incoming = telemetry.extract(message, reader);
    const latencyMs = telemetry.recordQueueTime(batch.planOf(message), message, reader, nowMs);
    const delivery = new Delivery(batch, incoming, latencyMs);
    if (typeof message === 'object' && message !== null) remember(message, delivery as Delivery);
    delivered.push(delivery);
  }
  return delivered;
}
