/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes } from '@opentelemetry/api';
import type { ActiveOperation, Outcome, Telemetry } from '@otel-messaging/messaging-common';
import type { Carry } from './carrying';
import { requestAttributes } from './operations';

/** A command of the application, as far as it concerns us. */
export interface Command {
  readonly input: object;
}

/** A call of the client that is traced: what to send in place of the application's input, and what to do after. */
export abstract class TracedCall<O extends ActiveOperation = ActiveOperation> {
  constructor(
    protected readonly telemetry: Telemetry,
    /** Undefined where nothing is recorded of the call itself. */
    readonly operation: O | undefined,
  ) {}

  /** Whether another instrumentation traces the client as well. */
  isShared = false;

  /** Whether the call's own span, or the lack of one, says all that is to be said, so that others make none beside it. */
  get hasOwnSpan(): boolean {
    return true;
  }

  /** Whether its requests make no spans, whatever the options say. */
  get isQuiet(): boolean {
    return false;
  }

  /** What to make of the input when it is sent; undefined where it stays as it is. */
  get carry(): Carry | undefined {
    return undefined;
  }

  /** What to hand to the application in place of the client's answer. */
  succeeded(output: unknown): unknown {
    let shown = output;
    try {
      if (typeof output === 'object' && output !== null) shown = this.finish(output);
    } catch (error) {
      this.telemetry.report('read an answer', error);
    }
    this.operation?.end();
    return shown;
  }

  failed(error: unknown): void {
    try {
      this.operation?.end({ error: error ?? new Error(), attributes: this.requestAttributes(error) });
    } catch (failure) {
      this.telemetry.report('read an error', failure);
      this.operation?.fail(error);
    }
  }

  /** Records the answer; gives what the application is to see of it. */
  protected abstract finish(output: object): unknown;

  protected end(output: object, messages?: Outcome['messages']): void {
    this.operation?.end({ attributes: this.requestAttributes(output), messages });
  }

  protected requestAttributes(answer: unknown): Attributes {
    return requestAttributes(answer, this.telemetry.config.semconv === 'dup');
  }
}

/** The entries of a batch, if all of them are objects; what else there may be is the client's to refuse. */
export function entriesOf<E extends object>(input: object, name = 'Entries'): readonly E[] | undefined {
  const entries = (input as Readonly<Record<string, unknown>>)[name];
  if (!Array.isArray(entries)) return undefined;
  return entries.every((entry) => typeof entry === 'object' && entry !== null) ? entries : undefined;
}
