/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type Context, context, type DiagLogger, trace } from '@opentelemetry/api';
import { startTracing, type Tracing, type TracingOptions, traceText } from '@otel-messaging/test-utils';
import { MessagingInstrumentation, type MessagingInstrumentationConfig } from '../src';
import type { MessageFacts, MessageReader, MessageWriter, OperationFacts, OperationType } from '../src/operation';
import type { AnyFunction, Patches } from '../src/patching';
import type { OperationPlan } from '../src/plan';
import type { Telemetry } from '../src/telemetry';

/** An instrumentation of nothing: its doors are what a test patches. */
export class TestInstrumentation extends MessagingInstrumentation {
  constructor(config: MessagingInstrumentationConfig = {}) {
    super('@otel-messaging/instrumentation-test', '0.1.0', config);
  }

  protected override init(): [] {
    return [];
  }

  protected override settlesByRequest(): boolean {
    return false;
  }

  override get patches(): Patches {
    return super.patches;
  }
}

export interface Message {
  readonly headers?: Readonly<Record<string, string>>;
  readonly facts?: MessageFacts;
  readonly sentAtMs?: number;
}

export const reader: MessageReader<Message> = {
  get: (message, field) =>
    Object.entries(message?.headers ?? {}).find(([name]) => name.toLowerCase() === field.toLowerCase())?.[1],
  keys: ({ headers }) => Object.keys(headers ?? {}),
  describe: ({ facts }) => facts ?? {},
  sentAtMs: (message) => message?.sentAtMs,
};

export const writer: MessageWriter<Message> = {
  ...reader,
  write: (message, { fields, stale }) => {
    const kept = Object.entries(message.headers ?? {}).filter(([name]) => !stale.includes(name.toLowerCase()));
    return { ...message, headers: { ...Object.fromEntries(kept), ...fields } };
  },
};

/** The engine with the real SDK behind it. */
export class Rig {
  readonly instrumentation: TestInstrumentation;
  readonly telemetry: Telemetry;
  readonly tracing: Tracing;
  /** What was reported as a failure of ours. */
  readonly reports: string[] = [];

  constructor(config: MessagingInstrumentationConfig = {}, options: TracingOptions = {}) {
    this.instrumentation = new TestInstrumentation(config);
    this.telemetry = this.instrumentation.telemetry;
    const log = (message: string) => void this.reports.push(message);
    const diag: DiagLogger = { error: log, warn: log, info: log, debug: log, verbose: log };
    Object.assign(this.telemetry, { diag });
    Object.assign(this.telemetry.signals, { diag });
    Object.assign(this.telemetry.spans, { diag });
    this.tracing = startTracing([this.instrumentation], { contract: false, ...options });
    this.telemetry.isOn(); // every patched function asks this first
  }

  plan(type: OperationType, facts: Partial<OperationFacts> = {}): OperationPlan {
    return this.telemetry.plan({ type, name: type, system: 'memory', destination: { name: 'orders' }, ...facts });
  }

  /** Finished spans of ours and of the application, as text. */
  text(attributes: readonly string[] = []): string {
    return traceText(this.tracing.spans(), { attributes });
  }

  /** The finished spans of that name. */
  spans(name: string) {
    return this.tracing.spans().filter((span) => span.name === name);
  }

  span(name: string) {
    const [only, ...more] = this.spans(name);
    if (only === undefined || more.length > 0) throw new Error(`${1 + more.length} spans '${name}' in\n${this.text()}`);
    return only;
  }

  /** Value of a counter, by its attributes' values. */
  async counts(name: string): Promise<Record<string, unknown>> {
    const metric = (await this.tracing.metrics()).find(({ descriptor }) => descriptor.name === name);
    const points = metric?.dataPoints.map(({ attributes, value }) => [Object.values(attributes).join(' '), value]);
    return Object.fromEntries(points ?? []);
  }

  /** A sent message: the copy that carries the send span's context. */
  sent(message: Message = {}, base?: Context): Message {
    const send = () => {
      const operation = this.telemetry.startSend(this.plan('send'), message, writer);
      if (operation === undefined) throw new Error('no send operation');
      operation.end();
      return operation.message;
    };
    return base === undefined ? send() : context.with(base, send);
  }

  /** Messages as a poll of the application's returns them. */
  received(
    messages: Message[],
    plan = this.plan('receive', { isBatch: true }),
    follow?: (messages: object[]) => void,
  ): Message[] {
    const operation = this.telemetry.startReceive(plan);
    if (operation === undefined) throw new Error('no receive operation');
    operation.endWithMessages(messages, reader, this.plan('process'), undefined, undefined, follow);
    return messages;
  }

  /** The same, of messages that were sent with these ids. */
  receive(...ids: string[]): Message[] {
    return this.received(ids.map((id) => this.sent({ facts: { id } })));
  }

  /** At the end of a test: nothing was reported, and neither a span nor a context is left over. */
  async stopWithNothingLeft(): Promise<void> {
    expect(this.reports).toEqual([]);
    expect(this.tracing.openSpans).toBe(0);
    expect(trace.getActiveSpan()).toBeUndefined();
    await this.tracing.stop();
  }
}

/** A child of the active span, made by the application. */
export function applicationWork(name = 'work'): void {
  trace.getTracer('application').startSpan(name).end();
}

/** The id of the span that is active. */
export function activeSpanId(): string | undefined {
  return trace.getActiveSpan()?.spanContext().spanId;
}

/** The message whose trace is active, by what its span says of it. */
export function activeMessage(): string {
  const span = trace.getActiveSpan() as { attributes?: Record<string, unknown> } | undefined;
  return span === undefined ? 'none' : String(span.attributes?.['messaging.message.id'] ?? 'another');
}

/** A pause that other work may run in. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

export const PROMISE = { endsAtSettlement: false, dropsPromise: false } as const;
export const AT_SETTLEMENT = { endsAtSettlement: true, dropsPromise: true } as const;

export type { AnyFunction };
