/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Telemetry } from '@otel-messaging/messaging-common';
import { addMiddleware } from './marked-commands';

/** On a command whose input is to be sent in another form. */
export const CARRY = Symbol('otel-messaging carry');

/** The input to send in place of the one that the application's middleware has left: a copy, or that one itself. */
export type Carry = (input: object) => object;

/** Has a client send what calls make of their inputs, once for each call however often it is tried. */
export function carryInputs(telemetry: Telemetry, client: unknown): void {
  const middleware = (next: (args: Marked) => unknown) => (args: Marked) => {
    const carry = args[CARRY];
    return next(carry === undefined ? args : carried(args, carry));
  };
  const carried = (args: Marked, carry: Carry): Marked => {
    const own = args.input as object;
    try {
      const input = carry(own);
      return input === own ? args : { ...args, input };
    } catch (error) {
      telemetry.report('write a context into a request', error);
      return args;
    }
  };
  // After all middleware that may change an input, before the client looks for an endpoint and writes the request.
  addMiddleware(client, middleware, { step: 'serialize', priority: 'high', name: 'otelMessagingCarrier' });
}

interface Marked {
  readonly input?: unknown;
  readonly [CARRY]?: Carry;
}
