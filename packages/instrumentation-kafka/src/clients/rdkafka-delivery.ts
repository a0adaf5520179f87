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
  ) {}
}

/**
 * The sends of one producer that no delivery report has come for. The producer's `emit` is wrapped on the object itself,
 * for the producer's whole life: reports of messages that were sent while the instrumentation was on may come after.
 */
export class DeliveryReports {
  private readonly waiting = new Set<Followed>();

  private constructor(private readonly scope: RdKafkaScope) {}

  /** Undefined where the producer takes no properties. */
  static of(producer: object, scope: RdKafkaScope): DeliveryReports | undefined {
    if (!Object.isExtensible(producer)) return undefined;
    const reports = new DeliveryReports(scope);
    const inner = (producer as { emit: AnyFunction }).emit;
    const emit = function emit(this: unknown, ...args: unknown[]): unknown {
      if (args[0] === 'delivery-report') reports.report(args[1], args[2] as Report);
      else if (args[0] === 'disconnected') reports.close();
      return inner.apply(this, args);
    };
    Object.defineProperty(producer, 'emit', { value: emit, configurable: true, writable: true });
    return reports;
  }

  /** What to give to librdkafka as the message's opaque value. */
  follow(operation: ActiveOperation, opaque: unknown): unknown {
    const followed = new Followed(operation, opaque);
    this.waiting.add(followed);
    return followed;
  }

  isWaitingFor(opaque: unknown): boolean {
    return this.waiting.has(opaque as Followed);
  }

  /** The message never came as far as librdkafka. */
  forget(opaque: unknown): void {
    this.waiting.delete(opaque as Followed);
  }

  private report(error: unknown, report: Report | undefined): void {
    const followed = report?.opaque;
    if (!(followed instanceof Followed)) return;
    // First of all, and whatever follows: the application's own value belongs into its report.
    if (followed.opaque === undefined) delete (report as Report).opaque;
    else (report as Report).opaque = followed.opaque;
    this.waiting.delete(followed);
    this.scope.telemetry.guard('end a send', undefined, () => {
      if (error) followed.operation.fail(this.scope.named(error));
      else followed.operation.end(positionOf(report as Report));
    });
  }

  /** No report can come any more. */
  private close(): void {
    for (const { operation } of this.waiting) operation.fail(new UnreportedError());
    this.waiting.clear();
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
