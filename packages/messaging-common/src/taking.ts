/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { inspect } from 'node:util';
import { enter } from './active-context';
import { scopeOf } from './context';
import { type Delivery, deliveryOf } from './delivery';
import { FOLLOWED, followIteration, isFollowed } from './iteration';
import { MessageIterator } from './message-iterator';
import { contexts } from './otel';
import { ProcessOperation } from './process-operation';
import { hasPassed } from './turn';

/**
 * Makes the context of a message that came alone active where the application takes it out of its array: `messages[0]`,
 * `const [message] = messages`, `messages.shift()`. It stays active in the asynchronous execution that took it, until the
 * message is settled, handled in another way, or let go of. Arrays of several messages are followed as ever.
 *
 * The first read finds an accessor, which then is a plain property again. Any read is taken for it, also one that only
 * looks (`JSON.stringify`): hence an option.
 */
export function followIndex(messages: object[]): void {
  const message = messages[0];
  if (messages.length !== 1 || message === undefined) {
    followIteration(messages);
    return;
  }
  if (!followIteration(messages, ARMED)) return;
  (messages as Placed)[PLACE] = new Place(messages, message);
  Object.defineProperty(messages, 0, ACCESSOR);
}

/** Makes an array the client's again, as it was before it was followed. */
export function unfollow(messages: object[]): void {
  if (!isFollowed(messages)) return;
  Place.disarm(messages);
  Object.setPrototypeOf(messages, Array.prototype);
}

/** Lets go of the message whose taking made the active context, if there is one: the application asks for the next. */
export function letGoOfTaken(): void {
  if (Taking.oldest === undefined) return;
  const scope = scopeOf(contexts().active());
  if (scope instanceof ProcessOperation) scope.taking?.letGo();
}

/** The same for all messages, wherever they were taken. */
export function letGoOfAllTaken(): void {
  while (Taking.oldest !== undefined) Taking.oldest.letGo();
}

/**
 * Where an array has its place: a property of its own until the first read, or for good where the array is sealed before that. A
 * private field would be seen by nobody, but is not found through a proxy of the array, and the message would be lost. Whoever
 * copies the properties reads the index first, and does not find it; to hide it would take as long as the accessor does.
 */
const PLACE = Symbol('otel-messaging place');

interface Placed {
  [PLACE]?: Place;
}

/** The first place of an array with a message that nobody has taken. */
class Place {
  private isArmed = true;

  constructor(
    private readonly messages: object[],
    private message: unknown,
  ) {}

  /** That of an array, or of a proxy or a copy of one. */
  static of(messages: object): Place | undefined {
    return (messages as Placed)[PLACE];
  }

  /** Makes the accessor a plain property; whether it was one still. */
  static disarm(messages: object): boolean {
    return Place.of(messages)?.disarm() === true;
  }

  /** What the array holds, for those who only look. */
  static shown(messages: object[]): unknown {
    const at = Place.of(messages);
    if (at?.isIn(messages) !== true) return Array.prototype.slice.call(messages);
    // Not by its iterator, nor by its own methods: those handle messages.
    return Array.from({ length: messages.length }, (_, i) => (i === 0 ? at.message : messages[i]));
  }

  /** @param from the array, or a proxy or a copy of it */
  get(from: object): unknown {
    if (this.disarm(from)) take(this.message);
    return this.message;
  }

  set(value: unknown): void {
    this.disarm();
    if (Reflect.defineProperty(this.messages, 0, { value })) return;
    if (Object.isFrozen(this.messages)) {
      throw new TypeError("Cannot assign to read only property '0' of object '[object Array]'");
    }
    this.message = value;
  }

  /** @param from what was read, whose accessor it was */
  private disarm(from?: object): boolean {
    if (!this.isArmed) return false;
    this.isArmed = false;
    const { messages, message } = this;
    // Emptied meanwhile, it is not to be filled again.
    if (from !== messages && !this.isIn(messages)) return true;
    // An array that was sealed or frozen meanwhile keeps its accessor, which then just gives what is there.
    if (!Object.isExtensible(messages) || !Reflect.deleteProperty(messages, 0)) return true;
    messages[0] = message as object; // quicker than to define it over the accessor
    Reflect.deleteProperty(messages, PLACE);
    return true;
  }

  private isIn(messages: object[]): boolean {
    return Object.getOwnPropertyDescriptor(messages, 0)?.get === ACCESSOR.get;
  }
}

/**
 * One for all arrays: with functions of its own for each, the garbage collector keeps every message until it looks at old
 * objects, where V8 puts accessors (2 µs a message). On something that is neither the array nor has its properties it gives
 * nothing.
 */
const ACCESSOR: PropertyDescriptor & ThisType<object> = {
  configurable: true,
  enumerable: true,
  get() {
    return Place.of(this)?.get(this);
  },
  set(value) {
    Place.of(this)?.set(value);
  },
};

/** Messages that nobody settles and nobody asks another one after; more are not waited for. */
const MAX_TAKEN = 1000;

/** A message in the hands of whoever read its place in the array; linked from the oldest to the newest. */
class Taking {
  static oldest: Taking | undefined;
  private static newest: Taking | undefined;
  private static count = 0;
  private before: Taking | undefined;
  private after: Taking | undefined;

  constructor(
    private readonly delivery: Delivery,
    private readonly operation: ProcessOperation,
  ) {
    if (Taking.count >= MAX_TAKEN) Taking.oldest?.letGo();
    Taking.count++;
    this.before = Taking.newest;
    if (this.before === undefined) Taking.oldest = this;
    else this.before.after = this;
    Taking.newest = this;
    delivery.taking = this;
    operation.taking = this;
  }

  letGo(): void {
    const { before, after, delivery, operation } = this;
    if (operation.taking !== this) return;
    Taking.count--;
    if (before === undefined) Taking.oldest = after;
    else before.after = after;
    if (after === undefined) Taking.newest = before;
    else after.before = before;
    delivery.taking = undefined;
    operation.taking = undefined;
    operation.letGo();
  }
}

/** Never throws. */
function take(message: unknown): void {
  const delivery = deliveryOf(message);
  if (delivery === undefined) return;
  try {
    const operation = delivery.begin(message);
    if (operation === undefined) return;
    new Taking(delivery, operation);
    enter(operation.context);
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
