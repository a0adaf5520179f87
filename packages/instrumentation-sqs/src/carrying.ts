/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Telemetry } from '@otel-messaging/messaging-common';
import { addMiddleware } from './marked-commands';

/** On a command whose input is to be sent in another form. */
export const CARRY = Symbol('otel-messaging carry');

/** What to make of the input that the application's middleware has left; called for each time that it is sent. */
export type Carry = (input: object) => Carried;

export interface Carried {
  /** To send in its place: a copy, or that one itself. */
  readonly input: object;
  /** The client's answer as it would be without us: the application's middleware sees it first. */
  readonly restored?: (output: object) => object;
}

/** Has a client send what calls make of their inputs, once for each call however often the client tries. */
export function carryInputs(telemetry: Telemetry, client: unknown): void {
  const middleware = (next: Next) => (args: Marked) => {
    const carried = args[CARRY] && guarded('write a context into a request', args[CARRY], args.input as object);
    if (carried === undefined) return next(args);
    const { input, restored } = carried;
    const answer = next(input === args.input ? args : { ...args, input });
    if (restored === undefined) return answer;
    // What comes next may be the application's, too, and answer with something else than a promise.
    return Promise.resolve(answer).then((result) => restoredResult(result, restored));
  };
  const restoredResult = (result: Result, restored: (output: object) => object): Result => {
    const { output } = result ?? {};
    if (typeof output !== 'object' || output === null) return result;
    const shown = guarded('read an answer', restored, output) ?? output;
    if (shown === output) return result;
    return { ...result, output: Object.isFrozen(output) ? Object.freeze(shown) : shown };
  };
  const guarded = <T>(what: string, code: (value: object) => T, value: object): T | undefined => {
    try {
      return code(value);
    } catch (error) {
      telemetry.report(what, error);
      return undefined;
    }
  };
  const where = telemetry.guard('look at the middleware of a client', FIRST, () => placeIn(client));
  addMiddleware(client, middleware, { ...where, name: 'otelMessagingCarrier' });
}

/**
 * Right before the request is written: after all middleware that may change an input, and no sooner than the client itself reads it.
 * A middleware there needs the one that finds the endpoint, which old clients do not: commands of an application may lack it. Those
 * get the first place of the step.
 */
function placeIn(client: unknown): object {
  return needsEndpoint(client as Client) ? { relation: 'after', toMiddleware: ENDPOINT } : FIRST;
}

function needsEndpoint({ middlewareStack }: Client): boolean {
  let isNeeded = false;
  const addRelativeTo = (_: unknown, { toMiddleware }: { toMiddleware?: unknown }) => {
    if (toMiddleware === ENDPOINT) isNeeded = true;
  };
  // Nothing else tells what is placed by another middleware.
  middlewareStack?.applyToStack?.({ add() {}, addRelativeTo, identifyOnResolve() {} });
  return isNeeded;
}

const ENDPOINT = 'endpointV2Middleware';
const FIRST = { step: 'serialize', priority: 'high' };

interface Client {
  readonly middlewareStack?: { applyToStack?(stack: object): void };
}

interface Marked {
  readonly input?: unknown;
  readonly [CARRY]?: Carry;
}

interface Result {
  readonly output?: unknown;
}

type Next = (args: Marked) => Result | PromiseLike<Result>;
