/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Context } from '@opentelemetry/api';
import { type Attachment, attach, detach, isActive } from './active-context';
import { AwaitedContext } from './awaited-context';
import { awaitNext } from './awaited-messages';
import { scopeOf, settled } from './context';
import { deliveryOf } from './delivery';
import { contexts } from './otel';
import { ProcessOperation } from './process-operation';
import { isBehind, type Path, Surroundings } from './surroundings';
import { currentTurn, hasPassed, type Turn } from './turn';

/** Begins the handling of a message that was delivered; never throws. */
export function begin(message: unknown, ambient?: Context): ProcessOperation | undefined {
  const delivery = deliveryOf(message);
  if (delivery === undefined) return undefined;
  try {
    return delivery.begin(message, ambient);
  } catch (error) {
    delivery.batch.telemetry.report('begin the handling of a message', error);
    return undefined;
  }
}

/** Iterators inherit the language's helpers, where it has them. */
const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf(Array.prototype.values.call([])));

let walks = 0;

/**
 * An array's iterator; what happens between two calls of `next` happens in the context of a message.
 * The language does not tell `return` whether the body was left by `break` or by an error, so that an error thrown out
 * of a `for…of` does not mark the message's span; it does in callbacks. See README, "What is not done".
 */
export class MessageIterator<T> implements IterableIterator<T> {
  private operation: ProcessOperation | undefined;
  private attachment: Attachment | undefined;
  /** What is active outside of the loop's body. */
  private ambient: Context | undefined;
  protected entered: Turn = 0;
  private first: Turn | undefined;
  private readonly id = ++walks;
  /** What to go back to, where that is not what is active at the first message. */
  declare private previous?: Context | undefined;
  /** Whether the walk's caller may go on in a message's context, see `ProcessOperation.leave`. */
  private mayLeak = true;
  /** The way to the walk, where its caller goes on in a message's context if the body awaits something. */
  declare private entry?: ProcessOperation['entry'];
  /** Whether the walk began after an `await` of its own function. */
  private isResumed = false;
  /** Whether the messages are handled elsewhere than where they were taken. */
  private isHandedOn = false;
  /** Whether the walk is ahead of whoever handles the messages, so that nobody knows which one is in hand. */
  private isAhead = false;

  constructor(
    private readonly inner: Iterator<T>,
    private readonly messageOf: (value: T) => unknown,
  ) {}

  next(): IteratorResult<T> {
    if (this.operation !== undefined) this.leave(this.operation);
    const result = this.inner.next();
    if (result.done) this.finish();
    else if (!this.isAhead) this.enter(this.messageOf(result.value));
    return result;
  }

  /** Called by `break`, `throw` and destructuring. Like an array's own iterator, this one can be walked on after. */
  return(value?: unknown): IteratorResult<T> {
    // A generator is left by way of an `await`: whoever has the message goes on elsewhere, in its context.
    if (this.operation !== undefined) this.leave(this.operation, this.isHandedOn);
    this.detach();
    return { done: true, value };
  }

  private enter(message: unknown): void {
    let awaited: AwaitedContext | undefined;
    if (this.ambient === undefined) {
      const active = contexts().active();
      this.ambient = settled(active);
      const delivery = this.first === undefined ? deliveryOf(message) : undefined;
      if (delivery !== undefined) {
        awaited = delivery.batch.telemetry.guard('look at the stack', undefined, () => this.lookAround(active));
        if (this.isAhead) return;
      }
    }
    const operation = begin(message, this.ambient);
    if (operation === undefined) {
      this.detach();
      return;
    }
    this.operation = operation;
    this.entered = currentTurn();
    this.first ??= this.entered;
    operation.walk = this.id;
    if (this.entry !== undefined && this.entered === this.first) operation.entry = this.entry;
    try {
      awaited?.give(operation.context);
      this.attachment = attach(operation.context, this.attachment, this.previous);
    } catch (error) {
      operation.report("make a message's context active", error);
    }
  }

  /**
   * Who walks, and what that means for contexts.
   * @returns what is active for whoever waits for the message
   */
  private lookAround(active: Context): AwaitedContext | undefined {
    const around = Surroundings.of(MessageIterator.prototype.next);
    if (around === undefined) return undefined;
    this.isAhead = around.isStream;
    this.isHandedOn = around.isGenerator;
    this.isResumed = around.isResumed;
    this.mayLeak = !around.isAlone;
    if (this.mayLeak) this.enterFrom(around.path, active);
    if (!around.isResumed || !(active instanceof AwaitedContext) || !active.isFor(around.walker)) return undefined;
    this.isHandedOn = true;
    this.previous = this.ambient;
    return active;
  }

  /** A walk that another function began in this turn, and has left at an `await`, is none of ours. */
  private enterFrom(path: Path | undefined, active: Context): void {
    if (path === undefined) return;
    this.entry = { turn: currentTurn(), path };
    const own = withoutWalksBehind(active, path);
    if (own === active) return;
    this.ambient = own;
    this.previous = own;
  }

  /** Whether the walk goes on in what was begun where one of its messages' contexts was made active. */
  private isHere(): boolean {
    let context = contexts().active();
    for (let i = 0; i < MAX_NESTED; i++) {
      const scope = scopeOf(context);
      if (!(scope instanceof ProcessOperation)) return false;
      if (scope.walk === this.id) return true;
      context = scope.around;
    }
    return false;
  }

  /** The walk goes on elsewhere; what is active there is to come back after it. */
  private move(): void {
    this.isHandedOn = true;
    this.attachment = undefined;
    this.ambient = undefined;
    this.previous = undefined;
    if (Surroundings.of(MessageIterator.prototype.next)?.isStream === true) this.isAhead = true;
  }

  /** The message's context stays active until the next one's takes its place, or the loop is over. */
  private leave(operation: ProcessOperation, hasLeaked = false): void {
    this.operation = undefined;
    const { attachment, entered, first } = this;
    if (attachment !== undefined && !isActive(operation.context, attachment) && !this.isHere()) this.move();
    const mayHaveLeaked = hasLeaked || (this.mayLeak && entered === first);
    operation.leave(!this.isAhead && hasPassed(entered), mayHaveLeaked);
  }

  /** A generator goes on to ask for messages, and whoever takes them from it waits. */
  private finish(): void {
    this.detach();
    if (this.isResumed && this.isHandedOn) awaitNext(Surroundings.of(MessageIterator.prototype.next));
  }

  private detach(): void {
    const { attachment } = this;
    this.attachment = undefined;
    this.ambient = undefined;
    this.previous = undefined;
    if (attachment !== undefined) detach(attachment);
  }

  declare [Symbol.iterator]: () => this;
  declare readonly [Symbol.toStringTag]: string;
  declare [Symbol.dispose]: () => void;
}

Object.setPrototypeOf(MessageIterator.prototype, IteratorPrototype);
Object.defineProperty(MessageIterator.prototype, Symbol.toStringTag, { value: 'Array Iterator', configurable: true });

const MAX_NESTED = 10;

/** What is active without the walks of functions that have gone back to their callers in this turn. */
function withoutWalksBehind(active: Context, path: Path): Context {
  let context = active;
  for (let i = 0; i < MAX_NESTED; i++) {
    const scope = scopeOf(context);
    if (!(scope instanceof ProcessOperation) || scope.context !== context || scope.isOver()) break;
    if (scope.entry === undefined || hasPassed(scope.entry.turn) || !isBehind(scope.entry.path, path)) break;
    context = scope.around;
  }
  return context;
}
