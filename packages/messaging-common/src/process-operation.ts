/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Context } from '@opentelemetry/api';
import { scopeOf, settled, withoutPastScope } from './context';
import type { Delivery } from './delivery';
import { MessageOperation } from './message-operation';
import type { MessageReader, Outcome, Settlement } from './operation';
import { contexts, ROOT_CONTEXT } from './otel';
import type { OperationPlan } from './plan';
import { isObservable } from './promises';
import { ATTR_MESSAGING_MESSAGE_SETTLEMENT } from './semconv';
import type { OpenDeliveries } from './settlement';
import type { Path } from './surroundings';
import type { Telemetry } from './telemetry';
import type { Turn } from './turn';
import { watchGivenBack } from './watched-promise';

/** How the client treats a handler's return value. */
export interface HandlerManner {
  /** A handler that returns no promise is over at the message's settlement, not at its return. */
  readonly endsAtSettlement: boolean;
  /** The client drops a returned promise, so that a rejection of it is to be reported as unhandled. */
  readonly dropsPromise: boolean;
}

/** The processing of one message: its handler's span and context, from the delivery to the handler's end. */
export class ProcessOperation<M = unknown> extends MessageOperation<M> {
  private isHandling = true;
  private isSettled = false;
  /** Promises that have to settle before the handling is over. */
  private awaited = 0;
  declare private ownFailure?: Outcome;
  /** Set while the application has the message by its index. */
  declare taking?: { letGo(): void } | undefined;
  /** The walk that gave the message, where it was one. */
  declare walk?: number;
  /** Set where the walk's caller may go on with the message's context active. */
  declare entry?: { readonly turn: Turn; readonly path: Path };
  private deliveries: OpenDeliveries | undefined;
  private tag = 0;

  /** A message that the client hands to a callback; the span starts at once. What is active there is an accident. */
  static pushed<M>(
    telemetry: Telemetry,
    plan: OperationPlan,
    message: M,
    reader: MessageReader<M>,
  ): ProcessOperation<M> {
    const incoming = telemetry.extract(message, reader);
    telemetry.countMessages(plan, 1);
    const latencyMs = telemetry.recordQueueTime(plan, message, reader);
    const delivered = {
      reader,
      incoming,
      latencyMs,
      receiveSpan: undefined,
      attributes: undefined,
      isDescribed: false,
      common: undefined,
    };
    const operation = new ProcessOperation(telemetry, plan, message, delivered, ROOT_CONTEXT);
    operation.isHandling = false;
    operation.start();
    return operation;
  }

  /**
   * A message of a batch, whose handling begins now.
   * @param ambient what is active where the application takes the message
   */
  static pulled<M>(delivery: Delivery<M>, message: M, ambient: Context): ProcessOperation<M> {
    const { batch } = delivery;
    const plan = batch.planOf(message);
    return new ProcessOperation(batch.telemetry, plan, message, delivery, withoutPastScope(ambient), batch);
  }

  /** What was active where the application took the message. */
  get around(): Context {
    return this.ambient;
  }

  /** Calls the application's handler; gives back exactly what it gives. */
  handle<A extends unknown[], R>(manner: HandlerManner, handler: (...args: A) => R, thisArg: unknown, ...args: A): R {
    this.isHandling = true;
    const result = this.run(handler, thisArg, ...args);
    if (isObservable(result)) {
      this.watch(result, manner.dropsPromise);
      return result;
    }
    if (this.awaited > 0) return result; // a wrapper below knows of a promise that it does not return
    this.isHandling = false;
    // Described by now. Whoever does not settle it for long need not keep its content.
    this.message = undefined;
    if (!manner.endsAtSettlement || this.isSettled) this.end();
    return result;
  }

  /**
   * Ends with a promise of the application, which keeps it; where there are several, with the last one, or the first
   * rejection.
   * @param rethrows where nobody else may be waiting: our handler must not make a rejection look handled. If the
   *   application has kept the promise and handles it elsewhere, its rejection is reported all the same.
   * @param isGivenBack of a promise that anybody may wait for from now on: that is seen, and decides
   */
  watch(promise: Promise<unknown>, rethrows: boolean, isGivenBack = false): void {
    this.isHandling = true;
    this.startLazily();
    this.awaited++;
    const fulfilled = () => {
      if (--this.awaited === 0) this.end();
    };
    const rejected = (error: unknown) => {
      this.fail(error);
      if (rethrows) throw error;
    };
    try {
      if (!isGivenBack) promise.then(fulfilled, rejected);
      else if (!watchGivenBack(promise, fulfilled, rejected)) this.end();
    } catch (error) {
      this.telemetry.report('watch a promise', error); // of a class whose constructor throws
      this.end();
    }
  }

  /** Notes that the handler failed, where a framework keeps the error to itself; the operation ends as it would without. */
  failsWith(error: unknown): void {
    this.ownFailure ??= { error: error ?? String(error) };
  }

  /** Notes what the broker was told of the message; ends the operation if its handler has returned. */
  settle(settlement: Settlement): void {
    if (this.isEnded || this.isSettled) return;
    this.isSettled = true;
    this.startLazily();
    this.span?.setAttribute(ATTR_MESSAGING_MESSAGE_SETTLEMENT, settlement);
    if (this.isStarted && !this.isHandling) this.end();
  }

  /** Notes that the message is to come again. Ends nothing: a handler that asks for more time says the same. */
  retry(): void {
    if (this.isOver() || this.isSettled) return;
    this.startLazily();
    this.span?.setAttribute(ATTR_MESSAGING_MESSAGE_SETTLEMENT, 'retry');
  }

  /** Calls a callback of an array method with the message; gives back exactly what it gives. */
  handleBody<A extends unknown[], R>(callback: (...args: A) => R, thisArg: unknown, args: A): R {
    const result = this.run(callback, thisArg, ...args);
    if (isObservable(result)) this.watch(result, false, true);
    else this.leave(false, false);
    return result;
  }

  /** Calls a handler that the application named for this one message, and ends with it. */
  handleAlone<A, R>(handler: (message: A) => R, message: A): R {
    this.startLazily(); // it has its span also where the body ends before anybody asks, and is held after that
    const result = this.handleBody(handler, undefined, [message]);
    if (!isObservable(result)) this.end();
    return result;
  }

  /**
   * The body that handled the message is left; one that was asynchronous has a span in any case.
   * @param mayHaveLeaked whether the body began in the caller's turn: at its first `await` it went back to the caller
   *   with the message's context active, and the caller goes on in it. From now on that context stands for what was
   *   active before.
   */
  leave(wasAsynchronous: boolean, mayHaveLeaked: boolean): void {
    this.leaveJoined();
    if (this.isEnded && !mayHaveLeaked) return;
    this.isHandling = false;
    if (wasAsynchronous && mayHaveLeaked) this.successor = settled(this.ambient);
    if (this.isEnded) return;
    if (wasAsynchronous) this.startLazily();
    if (this.isStarted) {
      this.end();
      return;
    }
    this.endedMs = performance.now();
    // A span may still be asked for, by work that the body began or by the settlement; neither keeps the message alive.
    this.message = undefined;
  }

  /**
   * Whoever took the message goes on without it. Where it was taken its context is still active, and from now on stands
   * for what was active before.
   */
  letGo(): void {
    this.leaveJoined();
    this.isHandling = false;
    this.successor = settled(this.ambient);
    if (this.isEnded) return;
    this.endedMs = performance.now();
    if (this.isStarted) this.end();
    else this.message = undefined;
  }

  /** Where to be forgotten at its end: a handler may be over without having settled its message. */
  isOpenIn(deliveries: OpenDeliveries, tag: number): void {
    this.deliveries = deliveries;
    this.tag = tag;
  }

  /** The handling was over before anybody told us. @param epochMs when it began, since the epoch */
  lasted(startedMs: number, endedMs: number, epochMs: number): void {
    this.startedMs = startedMs;
    this.startedEpochMs = epochMs;
    this.endedMs = endedMs;
    this.end();
  }

  override conclude(outcome?: Outcome): void {
    // A message that was merely read has no span, unless it is said to have failed.
    if (!this.isStarted && this.endedMs !== undefined && outcome?.error === undefined) this.isHeld = false;
    // Its settlement, which has been seen, is no longer the batch's to tell.
    else super.conclude(this.isSettled && outcome !== undefined ? { ...outcome, attributes: undefined } : outcome);
  }

  protected override record(outcome: Outcome | undefined): string | undefined {
    this.deliveries?.forget(this.tag);
    this.startLazily(); // a body that throws has a span, whatever it did before
    // A context that lives on must keep neither the message nor what was active before.
    this.message = undefined;
    this.ambient = ROOT_CONTEXT;
    this.delivered.release?.(this);
    return super.record(outcome ?? this.ownFailure);
  }
}

/** The operation whose handler is running here; undefined outside of handlers, and where its end was seen. */
export function runningHandler(): ProcessOperation | undefined {
  const scope = scopeOf(contexts().active());
  return scope instanceof ProcessOperation && !scope.isOver() ? scope : undefined;
}
