/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { attach } from './active-context';
import { deliveryOf } from './delivery';
import type { ProcessOperation } from './process-operation';

/**
 * Makes each message's context active while the application walks the array: in the body of `for…of`, and in the
 * callbacks of array methods. The array stays the client's own; it gets non-enumerable properties that hide the methods
 * of Array.prototype. Merely reading makes no span (design: contexts are lazy).
 */
export function followIteration(messages: object[]): void {
  Object.defineProperties(messages, OVERRIDES);
}

const { prototype } = Array;

/** Array methods by what becomes of a promise that their callback returns: some keep it for the caller, most drop it. */
const KEEPING = ['map', 'flatMap'] as const;
const DROPPING = ['forEach', 'filter', 'some', 'every', 'find', 'findIndex', 'findLast', 'findLastIndex'] as const;
const REDUCING = ['reduce', 'reduceRight'] as const;

// biome-ignore lint/suspicious/noExplicitAny: the arguments are the application's, passed on as they are
type Method = (this: any, ...args: any[]) => any;

const OVERRIDES: PropertyDescriptorMap = {
  [Symbol.iterator]: hidden(function values(this: object[]) {
    return new MessageIterator(prototype.values.call(this), (message) => message);
  }),
  values: hidden(function values(this: object[]) {
    return new MessageIterator(prototype.values.call(this), (message) => message);
  }),
  entries: hidden(function entries(this: object[]) {
    return new MessageIterator(prototype.entries.call(this), (entry) => entry?.[1]);
  }),
  slice: hidden(function slice(this: object[], ...range: [number?, number?]) {
    const part = prototype.slice.apply(this, range);
    followIteration(part);
    return part;
  }),
};
for (const name of KEEPING) OVERRIDES[name] = hidden(inContext(prototype[name] as Method, 0, false));
for (const name of DROPPING) OVERRIDES[name] = hidden(inContext(prototype[name] as Method, 0, true));
for (const name of REDUCING) OVERRIDES[name] = hidden(inContext(prototype[name] as Method, 1, false));

function hidden(value: Method): PropertyDescriptor {
  return { value, enumerable: false, configurable: true, writable: true };
}

/** The array method with its callback run in the context of the message that is the callback's n-th argument. */
function inContext(method: Method, messageAt: 0 | 1, dropsPromise: boolean): Method {
  const wrapped: Method = function (this: object[], callback: unknown, ...rest: unknown[]) {
    if (typeof callback !== 'function') return method.call(this, callback, ...rest); // the language's own error
    const inside: Method = function (this: unknown, ...args) {
      const operation = deliveryOf(args[messageAt])?.begin(args[messageAt]);
      if (operation === undefined) return callback.apply(this, args);
      return operation.handleBody(dropsPromise, callback as Method, this, args);
    };
    const result = method.call(this, inside, ...rest);
    if (method === prototype.filter) followIteration(result);
    return result;
  };
  Object.defineProperty(wrapped, 'name', { value: method.name });
  return wrapped;
}

/** Counts runs of the microtask queue, so that a body can be told to have awaited something. */
let turn = 0;
let isTurnCounted = false;

function currentTurn(): number {
  if (!isTurnCounted) {
    isTurnCounted = true;
    Promise.resolve().then(countTurn);
  }
  return turn;
}

function countTurn(): void {
  isTurnCounted = false;
  turn++;
}

/** Iterators inherit the language's helpers, where it has them. */
const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf(prototype.values.call([])));

/** An array's iterator; what happens between two calls of `next` happens in the context of a message. */
class MessageIterator<T> implements IterableIterator<T> {
  private operation: ProcessOperation | undefined;
  private detach: (() => void) | undefined;
  private enteredTurn = 0;

  constructor(
    private readonly inner: Iterator<T>,
    private readonly messageOf: (value: T) => unknown,
  ) {}

  next(): IteratorResult<T> {
    if (this.operation !== undefined) this.leave();
    const result = this.inner.next();
    if (!result.done) this.enter(this.messageOf(result.value));
    return result;
  }

  /** Called by `break`, `throw` and destructuring. Like an array's own iterator, this one can be walked on after. */
  return(value?: unknown): IteratorResult<T> {
    if (this.operation !== undefined) this.leave();
    return { done: true, value };
  }

  private enter(message: unknown): void {
    const delivery = deliveryOf(message);
    if (delivery === undefined) return;
    const { telemetry } = delivery.batch;
    try {
      const operation = delivery.begin(message);
      if (operation === undefined) return;
      this.detach = attach(operation.context);
      this.operation = operation;
      this.enteredTurn = currentTurn();
    } catch (error) {
      telemetry.report("make a message's context active", error);
    }
  }

  private leave(): void {
    const { operation, detach } = this;
    this.operation = undefined;
    this.detach = undefined;
    operation?.guarded('leave the context of a message', () => detach?.());
    operation?.leave(turn !== this.enteredTurn);
  }

  declare [Symbol.iterator]: () => this;
  declare readonly [Symbol.toStringTag]: string;
  declare [Symbol.dispose]: () => void;
}

Object.setPrototypeOf(MessageIterator.prototype, IteratorPrototype);
Object.defineProperty(MessageIterator.prototype, Symbol.toStringTag, { value: 'Array Iterator', configurable: true });
