/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { InstrumentationNodeModuleDefinition } from '@opentelemetry/instrumentation';
import { moduleFile } from './module-file';
import type { AnyFunction, Patches } from './patching';
import { type ProcessOperation, runningHandler } from './process-operation';
import { isObservable as isPromise } from './promises';
import type { Telemetry } from './telemetry';

const SUPPORTED = ['>=9.0.0 <12'];

/** An Observable of RxJS, as far as it is used here. */
interface Stream {
  subscribe(...args: unknown[]): { add(teardown: () => void): void };
}

/** `context/rpc-proxy.js`: what stands around each handler of a controller. */
interface ProxyModule {
  readonly RpcProxy: { readonly prototype: object };
}

/** `server/server.js`: the base of all transports' servers. */
interface ServerModule {
  readonly Server: { readonly prototype: object };
}

/**
 * The module definition with which an instrumentation follows the handlers of NestJS microservices. Transports subscribe to
 * the streams of handlers, send replies and answer errors without telling the client that handed over the message; its
 * process operation is told here.
 *
 * Several instrumentations may patch the same functions: an operation waits for what each of them reports.
 */
export function nestModule(patches: Patches, telemetry: Telemetry): InstrumentationNodeModuleDefinition {
  const handling = () => (telemetry.isOn() ? runningHandler() : undefined);
  const file = (name: string, patch: (exports: never) => void) =>
    moduleFile(`@nestjs/microservices/${name}`, SUPPORTED, patch);
  return new InstrumentationNodeModuleDefinition('@nestjs/microservices', SUPPORTED, undefined, undefined, [
    file('context/rpc-proxy.js', ({ RpcProxy }: ProxyModule) => {
      patches.add(RpcProxy.prototype, 'create', (original) => create(original, handling));
      patches.add(RpcProxy.prototype, 'handleError', (original) => handleError(original, handling));
    }),
    file('server/server.js', ({ Server }: ServerModule) => {
      patches.add(Server.prototype, 'send', (original) => send(original, handling));
    }),
  ]);
}

type Handling = () => ProcessOperation | undefined;

/** `create(handler, exceptionsHandler)`, which gives the function that transports call in the handler's place. */
function create(original: AnyFunction, handling: Handling): AnyFunction {
  return function create(this: unknown, ...args: unknown[]) {
    const proxy = original.apply(this, args) as AnyFunction;
    return function (this: unknown, ...handed: unknown[]) {
      const operation = handling();
      const result: unknown = proxy.apply(this, handed);
      return operation !== undefined && isPromise(result) ? followed(operation, result) : result;
    };
  };
}

/** `handleError(exceptionsHandler, args, error)`, which turns a handler's error into an answer. */
function handleError(original: AnyFunction, handling: Handling): AnyFunction {
  return function handleError(this: unknown, ...args: unknown[]) {
    handling()?.failsWith(args[2]);
    return original.apply(this, args);
  };
}

/** `send(stream$, respond)`: hands each value of a handler's stream to `respond`, in turns of its own, the last one marked. */
function send(original: AnyFunction, handling: Handling): AnyFunction {
  return function send(this: unknown, ...args: unknown[]) {
    const [stream, respond, ...rest] = args;
    const operation = handling();
    if (operation === undefined || typeof respond !== 'function') return original.apply(this, args);
    const end = held(operation);
    const observed = function (
      this: unknown,
      packet: { readonly isDisposed?: unknown } | undefined,
      ...more: unknown[]
    ) {
      let answer: unknown;
      try {
        answer = (respond as AnyFunction).call(this, packet, ...more);
      } catch (error) {
        end(); // Nest gives up on the stream
        throw error;
      }
      const isLast = Boolean(packet?.isDisposed);
      if (isPromise(answer)) answer.then(isLast ? end : undefined, end);
      else if (isLast) end();
      return answer;
    };
    try {
      return original.call(this, stream, observed, ...rest);
    } catch (error) {
      end();
      throw error;
    }
  };
}

/** The handler's promise; where that brings a stream, the operation waits for the end of its first subscription. */
function followed(operation: ProcessOperation, result: Promise<unknown>): Promise<unknown> {
  const end = held(operation);
  return result.then(
    (value) => {
      if (isStream(value)) return observed(value, end);
      end();
      return value;
    },
    (error) => {
      end();
      throw error;
    },
  );
}

/** The stream, which tells when it is over. Not the application's own object: that may be shared by many messages. */
function observed(stream: Stream, end: () => void): Stream {
  let isSubscribed = false;
  // Nobody may be interested: Nest subscribes in the same turn, or not at all.
  setImmediate(() => {
    if (!isSubscribed) end();
  });
  return Object.create(stream, {
    subscribe: {
      value: function subscribe(...args: unknown[]) {
        isSubscribed = true;
        const subscription = stream.subscribe(...args);
        try {
          subscription.add(end);
        } catch {
          end();
        }
        return subscription;
      },
      configurable: true,
      writable: true,
    },
  }) as Stream;
}

/** Keeps the operation open until the function that it gives is called. */
function held(operation: ProcessOperation): () => void {
  let end: () => void = () => {};
  operation.watch(new Promise<void>((resolve) => (end = resolve)), false);
  return end;
}

/** As RxJS tells it. */
function isStream(value: unknown): value is Stream {
  if (typeof value !== 'object' || value === null) return false;
  const { lift, subscribe } = value as { readonly lift?: unknown; readonly subscribe?: unknown };
  return typeof lift === 'function' && typeof subscribe === 'function';
}
