/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context as contextApi } from '@opentelemetry/api';
import { type AnyFunction, suppressed, type Telemetry } from '@otel-messaging/messaging-common';
import { ClientState, type SqsClientLike } from './client-state';
import type { SqsOptions } from './config';
import type { Queue } from './queue';
import type { SystemNamesField } from './received-attributes';
import { type Command, type TracedCall, TracedCalls } from './traced-calls';

/** The client's `send`, traced for the commands that carry or settle messages; others pass through. */
export function tracedSend(
  telemetry: Telemetry,
  options: () => SqsOptions,
  systemField: SystemNamesField,
  original: AnyFunction,
): AnyFunction {
  const calls = new TracedCalls(telemetry, systemField);
  const states = new WeakMap<object, ClientState>();
  const inner = isInstrumented(original) ? withoutSpans(original) : original;

  return function send(this: SqsClientLike, ...args: unknown[]) {
    if (!telemetry.isOn()) return original.apply(this, args);
    const call = telemetry.guard('trace a command', undefined, () => start(this, args[0]));
    return call === undefined ? original.apply(this, args) : perform(telemetry, call, inner, this, args);
  };

  function start(client: SqsClientLike, command: unknown): TracedCall | undefined {
    const trace = tracedCommand(command);
    if (trace === undefined) return undefined;
    const { input } = command as Command;
    if (typeof input !== 'object' || input === null) return undefined;
    const { QueueUrl: url } = input as { readonly QueueUrl?: unknown };
    // Without one the client refuses the call, which then is no operation on any queue.
    return typeof url === 'string' ? trace.call(calls, stateOf(client).queue(url), command as Command) : undefined;
  }

  function stateOf(client: SqsClientLike): ClientState {
    const known = states.get(client);
    const current = options();
    if (known?.options === current) return known;
    const state = new ClientState(client, telemetry, current);
    states.set(client, state);
    return state;
  }
}

type TraceCommand = (this: TracedCalls, queue: Queue, command: Command) => TracedCall | undefined;

const COMMANDS: Readonly<Record<string, TraceCommand>> = {
  SendMessageCommand: TracedCalls.prototype.sendMessage,
  SendMessageBatchCommand: TracedCalls.prototype.sendMessageBatch,
  ReceiveMessageCommand: TracedCalls.prototype.receiveMessage,
  DeleteMessageCommand: TracedCalls.prototype.deleteMessage,
  DeleteMessageBatchCommand: TracedCalls.prototype.deleteMessageBatch,
};

const byClass = new WeakMap<object, TraceCommand | false>();

/** How to trace a command. By the names of its class and those it extends: a command may come from another copy of the package. */
function tracedCommand(command: unknown): TraceCommand | undefined {
  const type = (command as object | undefined)?.constructor;
  if (typeof type !== 'function') return undefined;
  const known = byClass.get(type);
  if (known !== undefined) return known || undefined;
  let found: TraceCommand | undefined;
  for (let at: unknown = type; typeof at === 'function' && found === undefined; at = Object.getPrototypeOf(at)) {
    if (Object.hasOwn(COMMANDS, at.name)) found = COMMANDS[at.name];
  }
  byClass.set(type, found ?? false);
  return found;
}

/** Makes the call in the application's manner, promise or callback. */
function perform(
  telemetry: Telemetry,
  call: TracedCall,
  original: AnyFunction,
  client: SqsClientLike,
  args: readonly unknown[],
): unknown {
  const { operation } = call;
  const passed = [call.command, ...args.slice(1)];
  const callbackAt = typeof args[1] === 'function' ? 1 : 2;
  const callback = args[callbackAt];
  if (typeof callback === 'function') passed[callbackAt] = watched(telemetry, call, callback as AnyFunction);
  const result = operation === undefined ? original.apply(client, passed) : operation.run(original, client, ...passed);
  if (typeof callback === 'function') return result;
  if (!isThenable(result)) {
    operation?.end();
    return result;
  }
  // Not the client's own promise: with a handler on that one, a forgotten rejection would no longer be reported.
  return result.then(
    (output) => {
      telemetry.guard('read an answer', undefined, () => call.succeeded(output));
      return output;
    },
    (error) => {
      telemetry.guard('read an error', undefined, () => call.failed(error));
      throw error;
    },
  );
}

/** The application's callback, called in the context that it was given in. */
function watched(telemetry: Telemetry, call: TracedCall, callback: AnyFunction): AnyFunction {
  const ambient = contextApi.active();
  return function (this: unknown, ...answer: unknown[]) {
    const [error, output] = answer;
    if (error) telemetry.guard('read an error', undefined, () => call.failed(error));
    else telemetry.guard('read an answer', undefined, () => call.succeeded(output));
    return contextApi.with(ambient, callback as (...args: unknown[]) => unknown, this, ...answer);
  };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | undefined)?.then === 'function';
}

/** Whether OpenTelemetry's own instrumentation of the AWS SDK, or another built like it, has patched the function. */
function isInstrumented(original: AnyFunction): boolean {
  return (original as { readonly __wrapped?: unknown }).__wrapped === true;
}

/** Two spans for one send, and two contexts in one message, would be one too many: the other instrumentation rests meanwhile. */
function withoutSpans(original: AnyFunction): AnyFunction {
  return function send(this: unknown, ...args: unknown[]) {
    return contextApi.with(suppressed(contextApi.active()), original, this, ...args);
  };
}
