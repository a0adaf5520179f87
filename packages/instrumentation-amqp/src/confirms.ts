/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type AnyFunction, TagMap } from '@otel-messaging/messaging-common';
import type { Channel, TagFrame } from './amqplib';
import type { Channels } from './channels';
import { MandatorySends } from './returns';

/** What waits for an answer of the broker. */
export interface Unanswered {
  end(): void;
  fail(error: unknown): void;
}

/** The sends of one confirm channel that the broker has not answered, by delivery tag. */
export class UnconfirmedSends {
  private readonly waiting = new TagMap<Unanswered>();
  private readonly mandatory = new MandatorySends();

  /** @param mark what the message is recognised by if it comes back; only with `mandatory` */
  add(tag: number, operation: Unanswered, mark?: string): void {
    this.waiting.set(tag, operation);
    if (mark !== undefined) this.mandatory.add(tag, mark);
  }

  /** The broker's answer to one send, or to all up to that one. */
  answer(tag: number, isMultiple: boolean, error: Error | undefined): void {
    if (isMultiple) this.waiting.takeUpTo(tag, (operation, one) => this.end(operation, one, error));
    else this.answerOne(tag, error);
  }

  /** Whether a message that comes back may be one of these. */
  get awaitsReturns(): boolean {
    return this.mandatory.size > 0;
  }

  /** A message came back; its confirm, which follows, says nothing more. */
  returned(mark: string, error: Error): void {
    const tag = this.mandatory.oldest(mark);
    if (tag !== undefined) this.answerOne(tag, error);
  }

  /** No answer can come any more. */
  close(error: Error | undefined): void {
    this.answer(Number.POSITIVE_INFINITY, true, error);
  }

  get size(): number {
    return this.waiting.size;
  }

  private answerOne(tag: number, error: Error | undefined): void {
    const operation = this.waiting.take(tag);
    if (operation !== undefined) this.end(operation, tag, error);
  }

  private end(operation: Unanswered, tag: number, error: Error | undefined): void {
    this.mandatory.forget(tag);
    if (error === undefined) operation.end();
    else operation.fail(error);
  }
}

/** `channel.handleConfirm`, which hears every answer of the broker; `handle` calls a callback as the answer demands. */
export function handleConfirm(channels: Channels, original: AnyFunction): AnyFunction {
  return function handleConfirm(this: Channel, handle: (callback: (error: unknown) => void) => void, frame: TagFrame) {
    const state = channels.find(this);
    if (state !== undefined && state.unconfirmed.size > 0) {
      channels.telemetry.guard('end a confirmed send', undefined, () => {
        let isRefused = false;
        handle((error) => {
          isRefused = error !== null;
        });
        state.unconfirmed.answer(frame.deliveryTag, frame.multiple === true, isRefused ? new NackError() : undefined);
      });
    }
    return original.call(this, handle, frame);
  };
}

/** The broker could not take a message. */
class NackError extends Error {
  /** Becomes `error.type`. */
  readonly type = 'nack';

  constructor() {
    super('the broker refused the message');
  }
}
