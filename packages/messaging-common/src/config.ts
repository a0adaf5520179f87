/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Span } from '@opentelemetry/api';
import type { InstrumentationConfig } from '@opentelemetry/instrumentation';
import type { OperationFacts } from './operation';

/** Options that every messaging instrumentation has. */
export interface MessagingInstrumentationConfig extends InstrumentationConfig {
  /**
   * `dup` also writes the attribute names that dashboards made for older instrumentations query.
   * Default: `dup` if OTEL_SEMCONV_STABILITY_OPT_IN lists `messaging/dup`, else `new`.
   */
  semconv?: 'new' | 'dup';
  /**
   * Parent of a `process` span: the message's creation context, the span that is active where the message is taken, or
   * none. The creation context is linked in any case. Default: `creation`.
   */
  processParent?: 'creation' | 'ambient' | 'none';
  /** One `create` span for each message of a batch, so that consumers can tell them apart. Default: true. */
  batchCreateSpans?: boolean;
  /** Above this many messages a batch gets no `create` spans. Default: 128, the SDK's limit of links. */
  maxCreateSpansPerBatch?: number;
  /** A `process` span for each message of a pulled batch while the application walks it. Default: true. */
  perMessageSpans?: boolean;
  /** A `receive` span also for polls that return nothing. Default: false. */
  emptyReceiveSpans?: boolean;
  /** Spans for ack, delete and commit. Default: true where settling is a network call (SQS), else false. */
  settleSpans?: boolean;
  /** Headers to record, as names or globs (`x-tenant-*`); propagation headers are never recorded. Default: none. */
  captureHeaders?: readonly string[];
  /** Headers never to record; wins over `captureHeaders`. */
  denyHeaders?: readonly string[];
  /** Records the size of message bodies, in bytes. Default: false. */
  captureBodySize?: boolean;
  /**
   * Whether contexts of incoming messages are followed. If false (for that destination), a message's handler runs in a
   * new trace that links to the producer, without its baggage. Default: true.
   */
  trustIncoming?: boolean | ((destination: string | undefined) => boolean);
  /** Where exceptions go. Default: `span-event`, or as OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN says. */
  exceptionSignal?: 'span-event' | 'log' | 'log-and-span-event';
  /** A low-cardinality form of a destination's name, for span names and metrics. Default: none. */
  destinationTemplate?: (facts: OperationFacts) => string | undefined;
  /** Called once for each recording span, right after it started; a throw is logged and ignored. */
  spanHook?: (span: Span, info: SpanHookInfo) => void;
}

/** What a `spanHook` is told of a span. */
export interface SpanHookInfo {
  readonly operation: OperationFacts;
  /** The client's own message object; absent for spans of several messages. Do not change it. */
  readonly message?: unknown;
}

/** The options in force. */
export type ResolvedConfig = Required<
  Omit<MessagingInstrumentationConfig, 'destinationTemplate' | 'spanHook' | 'enabled'>
> &
  Pick<MessagingInstrumentationConfig, 'destinationTemplate' | 'spanHook'>;

/** The configuration with every default and environment variable applied. Unknown values count as absent. */
export function resolveConfig(
  config: MessagingInstrumentationConfig,
  defaults: { readonly settleSpans: boolean },
  env: NodeJS.ProcessEnv = process.env,
): ResolvedConfig {
  return {
    semconv:
      oneOf(config.semconv, ['new', 'dup']) ??
      (listed(env['OTEL_SEMCONV_STABILITY_OPT_IN'], 'messaging/dup') ? 'dup' : 'new'),
    processParent: oneOf(config.processParent, ['creation', 'ambient', 'none']) ?? 'creation',
    batchCreateSpans: flag(config.batchCreateSpans) ?? true,
    maxCreateSpansPerBatch: count(config.maxCreateSpansPerBatch) ?? 128,
    perMessageSpans: flag(config.perMessageSpans) ?? true,
    emptyReceiveSpans: flag(config.emptyReceiveSpans) ?? false,
    settleSpans: flag(config.settleSpans) ?? defaults.settleSpans,
    captureHeaders: list(config.captureHeaders) ?? [],
    denyHeaders: list(config.denyHeaders) ?? [],
    captureBodySize: flag(config.captureBodySize) ?? false,
    trustIncoming: callable(config.trustIncoming) ?? flag(config.trustIncoming) ?? true,
    exceptionSignal:
      oneOf(config.exceptionSignal, ['span-event', 'log', 'log-and-span-event']) ?? exceptionSignalOf(env),
    destinationTemplate: callable(config.destinationTemplate),
    spanHook: callable(config.spanHook),
  };
}

function exceptionSignalOf(env: NodeJS.ProcessEnv): ResolvedConfig['exceptionSignal'] {
  const value = env['OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN'];
  if (listed(value, 'logs/dup')) return 'log-and-span-event';
  return listed(value, 'logs') ? 'log' : 'span-event';
}

function flag(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 ? value : undefined;
}

function list(value: readonly string[] | undefined): readonly string[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

function callable<T>(value: T): Extract<T, (...args: never[]) => unknown> | undefined {
  return typeof value === 'function' ? (value as Extract<T, (...args: never[]) => unknown>) : undefined;
}

function oneOf<T extends string>(value: T | undefined, allowed: readonly T[]): T | undefined {
  return value !== undefined && allowed.includes(value) ? value : undefined;
}

function listed(value: string | undefined, item: string): boolean {
  return value?.split(',').some((entry) => entry.trim().toLowerCase() === item) ?? false;
}
