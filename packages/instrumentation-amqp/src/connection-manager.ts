/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type AnyFunction, isObservable, runningHandler } from '@otel-messaging/messaging-common';
import { type Channels, ConnectionState } from './channels';
import { OutgoingMessage, outgoingMessages } from './message';
import { QUEUED, QueuedPublish, type WrapperState } from './queued-publish';

/** What `ChannelWrapper.js` of `amqp-connection-manager` exports. */
export interface ChannelWrapperModule {
  readonly default: { readonly prototype: object };
}

/** Arguments of a publish, and where its options stand among them. */
interface Call {
  readonly exchange: unknown;
  readonly routingKey: unknown;
  readonly content: unknown;
  readonly optionsAt: number;
}

/**
 * The doors of `ChannelWrapper`, which keeps messages while there is no connection, and sends them again that the broker
 * has not confirmed.
 */
export class ChannelWrappers {
  private readonly states = new WeakMap<object, WrapperState>();
  /** Stands for the broker of wrappers that have not sent anything yet. */
  private readonly unknown: ConnectionState;

  constructor(private readonly channels: Channels) {
    this.unknown = new ConnectionState(channels.telemetry, undefined, undefined);
  }

  /** `publish(exchange, routingKey, content, options, done)`: its span ends with the answer that the application gets. */
  publish(original: AnyFunction): AnyFunction {
    const wrappers = this;
    return function publish(this: object, ...args: unknown[]) {
      const [exchange, routingKey, content] = args;
      return wrappers.send(this, original, args, { exchange, routingKey, content, optionsAt: 3 });
    };
  }

  /** `sendToQueue(queue, content, options, done)` */
  sendToQueue(original: AnyFunction): AnyFunction {
    const wrappers = this;
    return function sendToQueue(this: object, ...args: unknown[]) {
      const [queue, content] = args;
      return wrappers.send(this, original, args, { exchange: '', routingKey: queue, content, optionsAt: 2 });
    };
  }

  /** `consume(queue, onMessage, options)`, which does not return to amqplib what `onMessage` returns. */
  consume(original: AnyFunction): AnyFunction {
    return function consume(this: object, ...args: unknown[]) {
      const [queue, onMessage, ...rest] = args;
      if (typeof onMessage !== 'function') return original.apply(this, args);
      const observed = function (this: unknown, ...handed: unknown[]) {
        const result = (onMessage as AnyFunction).apply(this, handed);
        if (isObservable(result)) runningHandler()?.watch(result, true);
        return result;
      };
      return original.call(this, queue, observed, ...rest);
    };
  }

  private send(wrapper: object, original: AnyFunction, args: unknown[], call: Call): unknown {
    const { telemetry, seesPublishes } = this.channels;
    if (!seesPublishes || !telemetry.isOn()) return original.apply(wrapper, args);
    const queued = telemetry.guard('describe a publish', undefined, () => this.start(wrapper, args, call));
    if (queued === undefined) return original.apply(wrapper, args);
    const end = (error?: unknown) => queued.publish.end(error, telemetry.config.captureBodySize);
    const copy = [...args];
    copy[call.optionsAt] = queued.options;
    const done = args[call.optionsAt + 1];
    if (typeof done === 'function') {
      copy[call.optionsAt + 1] = (...answer: unknown[]) => {
        end(answer[0] ?? undefined);
        return (done as AnyFunction)(...answer);
      };
    }
    let result: unknown;
    try {
      result = original.apply(wrapper, copy);
    } catch (error) {
      end(error);
      throw error;
    }
    if (isObservable(result)) return followed(result, end);
    if (typeof done !== 'function') end();
    return result;
  }

  /** Undefined also for arguments that amqplib will refuse. */
  private start(wrapper: object, args: unknown[], { exchange, routingKey, content, optionsAt }: Call) {
    const { telemetry } = this.channels;
    const options = args[optionsAt] ?? {};
    if (typeof exchange !== 'string' || typeof routingKey !== 'string' || typeof options !== 'object') return undefined;
    const state = this.stateOf(wrapper);
    const { sends } = state.connection ?? this.unknown;
    const frameMax = state.connection?.frameMax ?? Number.POSITIVE_INFINITY;
    // Copied first: a getter that throws leaves no span behind, and each one is called once.
    const copy = copyOf(options);
    const message = new OutgoingMessage(content, copy, frameMax);
    const operation = telemetry.startSend(sends.for(exchange, routingKey), message, outgoingMessages);
    if (operation === undefined) return undefined;
    const publish = new QueuedPublish(state, operation, exchange, routingKey);
    copy[QUEUED] = publish;
    return { publish, options: copy };
  }

  private stateOf(wrapper: object): WrapperState {
    const known = this.states.get(wrapper);
    if (known !== undefined) return known;
    const state = { connection: undefined };
    this.states.set(wrapper, state);
    return state;
  }
}

/** Not the client's own promise: with a handler on that one, a rejection that the application forgot would no longer be reported. */
function followed(promise: Promise<unknown>, end: (error?: unknown) => void): Promise<unknown> {
  return promise.then(
    (value) => {
      end();
      return value;
    },
    (error) => {
      end(error ?? String(error));
      throw error;
    },
  );
}

/** Own properties are what the wrapper copies too; up to 3.2 it hands on the object itself, inherited ones included. */
function copyOf(options: object): Record<PropertyKey, unknown> {
  const prototype = Object.getPrototypeOf(options);
  if (prototype === Object.prototype) return { ...options };
  return Object.assign(Object.create(prototype), options);
}
