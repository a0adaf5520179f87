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

/** The options that a message is queued with: the application's own, and its publish. */
type QueuedOptions = Record<PropertyKey, unknown> & { [QUEUED]?: QueuedPublish };

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
      const queued = wrappers.isOn() ? wrappers.queue(this, args[0], args[1], args[2], args[3]) : undefined;
      return queued === undefined ? original.apply(this, args) : wrappers.send(this, original, args, 3, queued);
    };
  }

  /** `sendToQueue(queue, content, options, done)` */
  sendToQueue(original: AnyFunction): AnyFunction {
    const wrappers = this;
    return function sendToQueue(this: object, ...args: unknown[]) {
      const queued = wrappers.isOn() ? wrappers.queue(this, '', args[0], args[1], args[2]) : undefined;
      return queued === undefined ? original.apply(this, args) : wrappers.send(this, original, args, 2, queued);
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

  /** `close()`, which answers what is queued a turn later. */
  close(original: AnyFunction): AnyFunction {
    const wrappers = this;
    return function close(this: object, ...args: unknown[]) {
      const result: unknown = original.apply(this, args);
      queueMicrotask(() => {
        wrappers.stateOf(this).isClosed = true;
      });
      return result;
    };
  }

  private isOn(): boolean {
    return this.channels.seesPublishes && this.channels.telemetry.isOn();
  }

  /** Starts the publish of a message; undefined also for arguments that amqplib will refuse, and on a closed channel. */
  private queue(
    wrapper: object,
    exchange: unknown,
    routingKey: unknown,
    content: unknown,
    options: unknown,
  ): QueuedOptions | undefined {
    const { telemetry } = this.channels;
    if (typeof exchange !== 'string' || typeof routingKey !== 'string') return undefined;
    if (options !== undefined && typeof options !== 'object') return undefined;
    try {
      const state = this.stateOf(wrapper);
      if (state.isClosed) return undefined;
      const publish = new QueuedPublish(state, exchange, routingKey);
      // Copied first: a getter that throws leaves no span behind, and each one is called once.
      const copy = carrying(publish, options);
      const { sends } = state.connection ?? this.unknown;
      const frameMax = state.connection?.frameMax ?? Number.POSITIVE_INFINITY;
      const message = new OutgoingMessage(content, copy, frameMax);
      const operation = telemetry.startSend(sends.for(exchange, routingKey), message, outgoingMessages);
      if (operation === undefined) return undefined;
      publish.operation = operation;
      return copy;
    } catch (error) {
      telemetry.report('describe a publish', error);
      return undefined;
    }
  }

  /** Calls the wrapper with the queued options in place of the application's, and ends the publish as the wrapper says. */
  private send(
    wrapper: object,
    original: AnyFunction,
    args: unknown[],
    optionsAt: number,
    queued: QueuedOptions,
  ): unknown {
    const { config } = this.channels.telemetry;
    const publish = queued[QUEUED] as QueuedPublish;
    const done = args[optionsAt + 1];
    args[optionsAt] = queued;
    if (typeof done === 'function') {
      args[optionsAt + 1] = (...answer: unknown[]) => {
        publish.end(answer[0] ?? undefined, config.captureBodySize);
        return (done as AnyFunction)(...answer);
      };
    }
    let result: unknown;
    try {
      result = original.apply(wrapper, args);
    } catch (error) {
      publish.end(error ?? String(error), config.captureBodySize);
      throw error;
    }
    if (!isObservable(result)) {
      if (typeof done !== 'function') publish.end(undefined, config.captureBodySize);
      return result;
    }
    // Not the client's own promise: with a handler on that one, a rejection that the application forgot would no longer be
    // reported.
    return result.then(
      (value) => {
        publish.end(undefined, config.captureBodySize);
        return value;
      },
      (error) => {
        publish.end(error ?? String(error), config.captureBodySize);
        throw error;
      },
    );
  }

  private stateOf(wrapper: object): WrapperState {
    const known = this.states.get(wrapper);
    if (known !== undefined) return known;
    const state = { connection: undefined, isClosed: false };
    this.states.set(wrapper, state);
    return state;
  }
}

/** Own properties are what the wrapper copies too; up to 3.2 it hands on the object itself, inherited ones included. */
function carrying(publish: QueuedPublish, options: object | null | undefined): QueuedOptions {
  if (options === null || options === undefined) return { [QUEUED]: publish };
  const prototype = Object.getPrototypeOf(options);
  // The other way round, a property added to what was spread, costs a microsecond.
  if (prototype === Object.prototype) return { [QUEUED]: publish, ...options };
  return Object.assign(Object.create(prototype), { [QUEUED]: publish }, options);
}
