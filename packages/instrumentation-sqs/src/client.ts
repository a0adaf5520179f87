/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context as contextApi } from '@opentelemetry/api';
import type { AnyFunction, Telemetry } from '@otel-messaging/messaging-common';
import { CARRY, carryInputs } from './carrying';
import { type AwsClientLike, type ClientFacts, ClientState } from './client-state';
import type { CommandType, CommandTypes } from './command-types';
import type { SqsOptions } from './config';
import { markedCommand } from './marked-commands';
import { QUIET, quietRequests, withoutOthers } from './silence';
import type { Command, TracedCall } from './traced-call';

/** A service of Amazon's, as far as its client is traced. */
export interface Service<Place> {
  readonly commands: CommandTypes<Place>;
  /** What tells where a command with this input goes; undefined if there is nothing to trace. */
  keyOf(input: object): string | undefined;
  /** Called once for each client, before the first of its calls that is traced. */
  meet?(client: AwsClientLike): void;
  /** The place of this key, as one client sees it. */
  placeOf(key: string, client: AwsClientLike, facts: ClientFacts): Place;
}

/**
 * The client's `send`, traced for the commands that carry or settle messages; others pass through.
 * @param isShared whether another instrumentation traces it as well
 */
export function tracedSend<Place>(
  telemetry: Telemetry,
  options: () => SqsOptions,
  service: Service<Place>,
  original: AnyFunction,
  isShared: () => boolean,
): AnyFunction {
  const states = new WeakMap<object, ClientState<Place>>();
  const alone = withoutOthers(original);

  return function send(this: AwsClientLike, ...args: unknown[]) {
    if (!telemetry.isOn()) return original.apply(this, args);
    const type = service.commands.of(args[0]);
    const call = type && start(this, type, args[0] as Command);
    if (call === undefined) return original.apply(this, args);
    call.isShared = isShared();
    const isAlone = call.hasOwnSpan && call.isShared;
    const isQuiet = call.isQuiet || isAlone || (call.hasOwnSpan && options().suppressHttpSpans);
    const passed = withCommand(args, call, isQuiet, type?.isSubclass === true);
    return perform(call, isAlone ? alone : original, this, passed);
  };

  function start(client: AwsClientLike, type: CommandType<Place>, command: Command): TracedCall | undefined {
    try {
      const { input } = command;
      if (typeof input !== 'object' || input === null) return undefined;
      const key = service.keyOf(input);
      return key === undefined ? undefined : type.trace(telemetry, stateOf(client).place(key), command);
    } catch (error) {
      telemetry.report('describe a command', error);
      return undefined;
    }
  }

  function stateOf(client: AwsClientLike): ClientState<Place> {
    const known = states.get(client);
    const current = options();
    if (known?.options === current) return known;
    if (known === undefined) telemetry.guard('meet a client', undefined, () => meet(client));
    const state = new ClientState(client, current, (key, facts) => service.placeOf(key, client, facts));
    states.set(client, state);
    return state;
  }

  function meet(client: AwsClientLike): void {
    service.meet?.(client);
    carryInputs(telemetry, client);
    quietRequests(client);
  }
}

/** The application's arguments; where there is something to tell middleware of ours, with a copy of its command. */
function withCommand(
  args: readonly unknown[],
  { carry }: TracedCall,
  isQuiet: boolean,
  isSubclass: boolean,
): unknown[] {
  const passed = [...args];
  if (carry === undefined && !isQuiet) return passed;
  const command = markedCommand(args[0] as Command, isSubclass);
  if (carry !== undefined) command[CARRY] = carry;
  if (isQuiet) command[QUIET] = true;
  passed[0] = command;
  return passed;
}

/** Makes the call in the application's manner, promise or callback. */
function perform(call: TracedCall, original: AnyFunction, client: AwsClientLike, args: unknown[]): unknown {
  const { operation } = call;
  const callbackAt = typeof args[1] === 'function' ? 1 : 2;
  const callback = args[callbackAt];
  if (typeof callback === 'function') args[callbackAt] = watched(call, callback as AnyFunction);
  const result = operation === undefined ? original.apply(client, args) : operation.run(original, client, ...args);
  if (typeof callback === 'function') return result;
  if (!isThenable(result)) {
    operation?.end();
    return result;
  }
  // Not the client's own promise: with a handler on that one, a forgotten rejection would no longer be reported.
  return result.then(
    (output) => call.succeeded(output),
    (error) => {
      call.failed(error);
      throw error;
    },
  );
}

/** The application's callback, called in the context that it was given in. */
function watched(call: TracedCall, callback: AnyFunction): AnyFunction {
  const ambient = contextApi.active();
  return function (this: unknown, ...answer: unknown[]) {
    if (answer[0] || answer.length < 2) call.failed(answer[0]);
    else answer[1] = call.succeeded(answer[1]);
    return contextApi.with(ambient, callback as (...args: unknown[]) => unknown, this, ...answer);
  };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | undefined)?.then === 'function';
}
