/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { inspect } from 'node:util';
import { context as contextApi } from '@opentelemetry/api';
import { attach } from './active-context';
import { type DeliveryScope, scopeOf } from './context';
import { type Delivery, deliveryOf } from './delivery';
import { Given } from './given';
import { FOLLOWED, isFollowed, MessageIterator } from './iteration';
import { hasPassed } from './turn';

/**
 * Makes the context of a message that came alone active where the application takes it out of its array: `messages[0]`,
 * `const [message] = messages`, `messages.shift()`. It stays active in the asynchronous execution that took it, until the
 * message is settled, handled in another way, or let go of.
 *
 * The first read finds an accessor, which then is a plain property again. Any read is taken for it, also one that only
 * looks (`JSON.stringify`): hence an option. Call after `followIteration`.
 */
export function followIndex(messages: object[]): void {
  const message = messages[0];
  const isWalked = Object.getPrototypeOf(messages) === FOLLOWED && Object.isExtensible(messages);
  if (messages.length !== 1 || message === undefined || !isWalked) return;
  new Place(messages, message);
  Object.defineProperty(messages, 0, {
    configurable: true,
    enumerable: true,
    get: () => {
      if (Place.disarm(messages)) take(message);
      return message;
    },
    set: (value) => {
      Place.disarm(messages);
      const isSet = Reflect.defineProperty(messages, 0, { value });
      if (!isSet) throw new TypeError("Cannot assign to read only property '0' of object '[object Array]'");
    },
  });
  Object.setPrototypeOf(messages, ARMED);
}

/** Makes an array the client's again, as it was before it was followed. */
export function unfollow(messages: object[]): void {
  if (!isFollowed(messages)) return;
  Place.disarm(messages);
  Object.setPrototypeOf(messages, Array.prototype);
}

/** Lets go of the message whose taking made the active context, if there is one: the application asks for the next. */
export function letGoOfTaken(): void {
  if (taken.size === 0) return;
  const scope = scopeOf(contextApi.active());
  if (scope !== undefined) taken.get(scope)?.letGo();
}

/** The same for all messages, wherever they were taken. */
export function letGoOfAllTaken(): void {
  for (const taking of taken.values()) taking.letGo();
}

/** The one place of an array, as a private field of the array: a WeakMap's entry costs the garbage collector more. */
class Place extends Given {
  #message: object;
  #isArmed = true;

  constructor(messages: object[], message: object) {
    super(messages);
    this.#message = message;
  }

  /** Makes the accessor a plain property; whether it was one still. */
  static disarm(messages: object): boolean {
    if (!(#isArmed in messages) || !messages.#isArmed) return false;
    messages.#isArmed = false;
    // Fails on an array that was frozen meanwhile, whose accessor then just gives the message.
    Reflect.defineProperty(messages, 0, { value: messages.#message, writable: true });
    return true;
  }

  /** What the array holds, for those who only look. */
  static shown(messages: object[]): unknown {
    // Not by its iterator, nor by its own methods: those handle messages.
    return #isArmed in messages && messages.#isArmed ? [messages.#message] : Array.prototype.slice.call(messages);
  }
}

/** By the scope of their contexts, oldest first. */
const taken = new Map<DeliveryScope, Taking>();

/** Messages that nobody settles and nobody asks another one after; more are not waited for. */
const MAX_TAKEN = 1000;

/** A message in the hands of whoever read its place in the array. */
class Taking {
  constructor(
    private readonly delivery: Delivery,
    private readonly operation: NonNullable<ReturnType<Delivery['begin']>>,
  ) {
    const oldest = taken.size < MAX_TAKEN ? undefined : taken.values().next().value;
    oldest?.letGo();
    taken.set(operation, this);
    delivery.taking = this;
  }

  letGo(): void {
    taken.delete(this.operation);
    this.delivery.taking = undefined;
    this.operation.letGo();
  }
}

/** Never throws. */
function take(message: object): void {
  const delivery = deliveryOf(message);
  if (delivery === undefined) return;
  try {
    const operation = delivery.begin(message);
    if (operation === undefined) return;
    new Taking(delivery, operation);
    attach(operation.context, undefined);
  } catch (error) {
    delivery.batch.telemetry.report("make a message's context active", error);
  }
}

/** An iterator that one message was taken from, by destructuring, goes on as if it had been taken by its index. */
class TakingIterator extends MessageIterator<object> {
  constructor(private readonly messages: object[]) {
    super(Array.prototype.values.call(messages), (message) => message);
  }

  override return(value?: unknown): IteratorResult<object> {
    // Left before anything was awaited, with the message in hand. Nothing tells it from a `break` at once.
    const isTaken = this.entered !== 0 && !hasPassed(this.entered);
    const result = super.return(value);
    const message = this.messages[0];
    if (isTaken && message !== undefined) take(message);
    return result;
  }
}

/** Before the methods of a followed array: a walk says by itself where the message is handled. */
const ARMED: object = Object.create(FOLLOWED);

for (const [name, { value: method }] of Object.entries(Object.getOwnPropertyDescriptors(FOLLOWED))) {
  hide(name, method.name, function (this: object[], ...args: unknown[]) {
    Place.disarm(this);
    return method.apply(this, args);
  });
}
hide(Symbol.iterator, 'values', function (this: object[]) {
  return Place.disarm(this) ? new TakingIterator(this) : FOLLOWED[Symbol.iterator].call(this);
});
// Logged, the array would show the accessor in place of the message.
hide(inspect.custom, 'inspect', function (this: object[]) {
  return Place.shown(this);
});

function hide(key: PropertyKey, name: string, value: (this: object[], ...args: unknown[]) => unknown): void {
  Object.defineProperty(value, 'name', { value: name });
  Object.defineProperty(ARMED, key, { value, configurable: true, writable: true });
}
