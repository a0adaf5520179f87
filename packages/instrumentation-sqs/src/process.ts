/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type Context, context as contextApi, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type {
  Delivery,
  MessageReader,
  OperationPlan,
  ProcessOperation,
  Telemetry,
} from '@otel-messaging/messaging-common';
import { resolveOptions } from './config';
import { IncomingReader } from './incoming-message';
import { isRecord, LambdaReader, queueUrlOf } from './lambda-record';
import { askCopies, joinCopies } from './package-copies';
import type { Queue } from './queue';
import { deliveryFor } from './received';

/** Options of `processBatch`. */
export interface ProcessBatchOptions {
  /** Messages handled at the same time; 1 keeps their order. Default: all of them. */
  readonly concurrency?: number;
}

/** How the handling of a batch went; both lists are in the order of the messages. */
export interface ProcessBatchResult<M> {
  /** Handled, and to be deleted. */
  readonly succeeded: M[];
  /** To be left in the queue: they come again when their visibility timeout is over. */
  readonly failed: { readonly message: M; readonly error: unknown }[];
}

/**
 * The handler's own result, after it ran in the message's context and `process` span. Without instrumentation, and for a
 * message that was processed before, the handler just runs. Errors are the handler's.
 */
export function processMessage<M extends object, R>(message: M, handler: (message: M) => R): R {
  const operation = begin(message);
  return operation === undefined ? handler(message) : operation.handleAlone(handler, message);
}

/**
 * Handles each message as `processMessage` does, and waits for all. One that fails keeps no other from being handled, so
 * the promise never rejects for a handler: look at `failed`.
 * @param messages `Messages` of a receive, undefined for an empty one; the array may change meanwhile
 */
export async function processBatch<M extends object>(
  messages: readonly M[] | undefined,
  handler: (message: M) => unknown,
  options: ProcessBatchOptions = {},
): Promise<ProcessBatchResult<M>> {
  const count = messages?.length ?? 0;
  // By index: walking the array itself would begin each message once more.
  const given = Array.from({ length: count }, (_, i) => messages![i] as M);
  const errors: ({ readonly error: unknown } | undefined)[] = new Array(count);
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const i = next++;
      try {
        await processMessage(given[i] as M, handler);
      } catch (error) {
        errors[i] = { error };
      }
    }
  };
  await Promise.all(Array.from({ length: concurrencyOf(options, count) }, worker));

  const result: ProcessBatchResult<M> = { succeeded: [], failed: [] };
  for (const [i, message] of given.entries()) {
    const failure = errors[i];
    if (failure === undefined) result.succeeded.push(message);
    else result.failed.push({ message, error: failure.error });
  }
  return result;
}

/**
 * The active context with what the message brought: its `process` span if there is one, else its creation context; and
 * its baggage. Also for messages that were received without the instrumentation, as far as they still carry a context.
 */
export function messageContext(message: object): Context {
  const active = contextApi.active();
  const delivery = knownDelivery(message);
  if (delivery !== undefined) return delivery.contextIn(active);
  const source = helperSource();
  if (source !== undefined) {
    const { telemetry } = source;
    const { plan, reader } = placeOf(source, message);
    return telemetry.handlerContext(plan, telemetry.extract(message, reader), active);
  }
  try {
    return contextIn(message, active);
  } catch {
    return active; // a propagator that throws
  }
}

/** What the functions above use for messages that no instrumented client has received. */
export interface HelperSource {
  readonly telemetry: Telemetry;
  readonly unknownQueue: Queue;
  /** The queue with this URL. */
  queueAt(url: string | undefined): Queue;
  /** Milliseconds that a Lambda function may wait for its export. */
  readonly lambdaFlushMs: number;
}

/** The instrumentation made last is the one in use. */
export function setHelperSource(current: HelperSource): void {
  source = current;
}

/** The instrumentation in use, of this copy of the package before others; undefined where none is on. */
export function helperSource(): HelperSource | undefined {
  return ownSource() ?? askCopies((copy) => copy.source());
}

let source: HelperSource | undefined;

function ownSource(): HelperSource | undefined {
  return source?.telemetry.isOn() ? source : undefined;
}

function knownDelivery(message: object): Delivery | undefined {
  return deliveryFor(message) ?? askCopies((copy) => copy.deliveryFor(message));
}

joinCopies({ deliveryFor, source: ownSource });

function begin(message: object): ProcessOperation | undefined {
  const delivery = knownDelivery(message);
  if (delivery !== undefined) return delivery.begin(message);
  const source = helperSource();
  if (source === undefined) return undefined;
  const { plan, reader } = placeOf(source, message);
  return source.telemetry.startProcess<object>(plan, message, reader) as ProcessOperation | undefined;
}

interface Place {
  readonly plan: OperationPlan;
  readonly reader: MessageReader<object>;
}

/** Where a message came from that no instrumented client has received; a record of a Lambda event tells. */
function placeOf(source: HelperSource, message: object): Place {
  const queue = source.telemetry.guard('read where a message is from', undefined, () =>
    isRecord(message) ? source.queueAt(queueUrlOf(message)) : undefined,
  );
  if (queue !== undefined) return { plan: queue.plan('process'), reader: new LambdaReader(queue.reader) };
  return { plan: source.unknownQueue.plan('process'), reader: source.unknownQueue.reader };
}

/** The extracted context, with no instrumentation to ask. */
function contextIn(message: object, active: Context): Context {
  const reader: MessageReader<object> = isRecord(message) ? new LambdaReader(PLAIN_READER) : PLAIN_READER;
  const extracted = propagation.extract(ROOT_CONTEXT, message, reader);
  const other = reader.otherContext?.(message);
  const creation = trace.getSpanContext(extracted) ?? (other?.linkOnly ? undefined : other?.spanContext);
  const baggage = propagation.getBaggage(extracted);
  const base = baggage === undefined ? active : propagation.setBaggage(active, baggage);
  return creation === undefined ? base : trace.setSpanContext(base, creation);
}

const PLAIN_READER = new IncomingReader({ ...resolveOptions({}), captureBodySize: false });

function concurrencyOf({ concurrency }: ProcessBatchOptions, count: number): number {
  return concurrency !== undefined && concurrency >= 1 ? Math.min(Math.floor(concurrency), count) : count;
}
