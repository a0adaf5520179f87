/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type ActiveOperation, type AnyFunction, type Outcome, semconv } from '@otel-messaging/messaging-common';
import type { RdKafkaScope } from './rdkafka-scope';

/** What librdkafka tells of a message that it has delivered, or given up. */
interface Report {
  readonly partition?: number;
  readonly offset?: number | null;
  opaque?: unknown;
}

/** In place of the application's opaque value, which it comes back with, until the application sees the report. */
class Followed {
  constructor(
    readonly operation: ActiveOperation,
    readonly opaque: unknown,
    /** Where it stands among those that wait; below zero when it no longer does. */
    public place: number,
  ) {}
}

/**
 * The sends of one producer that no delivery report has come for. The producer's `emit` is wrapped on the object itself,
 * for the producer's whole life: reports of messages that were sent while the instrumentation was on may come after.
 */
export class DeliveryReports {
  /** In no order: the last one takes the place of one that leaves, which is a tenth of what a Set takes. */
  private readonly waiting: Followed[] = [];

  private constructor(private readonly scope: RdKafkaScope) {}

  /** Undefined where the producer takes no properties. */
  static of(producer: object, scope: RdKafkaScope): DeliveryReports | undefined {
    if (!Object.isExtensible(producer)) return undefined;
    const reports = new DeliveryReports(scope);
    const inner = (producer as { emit: AnyFunction }).emit;
    const emit = function emit(this: unknown, ...args: unknown[]): unknown {
      if (args[0] === 'delivery-report') args[2] = reports.report(args[1], args[2] as Report);
      else if (args[0] === 'disconnected') reports.close();
      return inner.apply(this, args);
    };
    Object.defineProperty(producer, 'emit', { value: emit, configurable: true, writable: true });
    return reports;
  }

  /** What to give to librdkafka as the message's opaque value. */
  follow(operation: ActiveOperation, opaque: unknown): unknown {
    const followed = new Followed(operation, opaque, this.waiting.length);
    this.waiting.push(followed);
    return followed;
  }

  isWaitingFor(opaque: unknown): boolean {
    return opaque instanceof Followed && opaque.place >= 0;
  }

  /** The message never came as far as librdkafka. */
  forget(opaque: unknown): void {
    if (opaque instanceof Followed) this.remove(opaque);
  }

  /** The report as the application has to see it. */
  private report(error: unknown, report: Report | undefined): unknown {
    const followed = report?.opaque;
    if (report === undefined || !(followed instanceof Followed)) return report;
    this.remove(followed);
    const { operation } = followed;
    if (error) operation.fail(this.scope.named(error));
    else operation.end(positionOf(report));
    if (followed.opaque !== undefined) {
      report.opaque = followed.opaque;
      return report;
    }
    // In place of `delete`, which takes twice as long: nobody but the emitter has the object.
    const { opaque: _, ...own } = report;
    return own;
  }

  /** No report can come any more. */
  private close(): void {
    for (const followed of this.waiting.splice(0)) {
      followed.place = -1;
      followed.operation.fail(new UnreportedError());
    }
  }

  private remove(followed: Followed): void {
    const { place } = followed;
    if (place < 0) return;
    const last = this.waiting.pop() as Followed;
    if (last !== followed) {
      this.waiting[place] = last;
      last.place = place;
    }
    followed.place = -1;
  }
}

/** Where a message went. */
function positionOf({ partition, offset }: Report): Outcome {
  const attributes: Record<string, string | number> = {};
  if (typeof partition === 'number' && partition >= 0) {
    attributes[semconv.ATTR_MESSAGING_DESTINATION_PARTITION_ID] = String(partition);
  }
  // Negative where the producer asks for no acknowledgement.
  if (Number.isSafeInteger(offset) && (offset as number) >= 0) attributes[semconv.ATTR_KAFKA_OFFSET] = offset as number;
  return { attributes };
}

/** The producer was disconnected before the fate of a message was known. */
class UnreportedError extends Error {
  /** Becomes `error.type`; the name of librdkafka's own code for a handle that is gone. */
  readonly type = 'ERR__DESTROY';

  constructor() {
    super('the producer was disconnected before the delivery report');
  }
}
