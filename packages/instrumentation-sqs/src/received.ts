/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type Delivery, deliveryOf, Given } from '@otel-messaging/messaging-common';
import type { MessageAttributes } from './message-attributes';

/** What is known of a message that was received, some of it not to be seen in the message that the application has. */
export class Received {
  delivery: Delivery | undefined;
  handle = '';
  /** Where its receipt handle is remembered, when it is no more among the newest. */
  slot = -1;

  /**
   * @param system system attributes, those that the application did not ask for included
   * @param attributes all attributes that came, for as long as they are read
   */
  constructor(
    readonly messageId: string | undefined,
    readonly system: SystemAttributes | undefined,
    public attributes: MessageAttributes | undefined,
  ) {}
}

export type SystemAttributes = Readonly<Record<string, string | undefined>>;

/** Receipts remembered for copies and deletions. Few are waited for; the limit is for those that never come back. */
const MAX_RECEIPTS = 1000;
/** Of these, those of one poll and a few more. */
const RECENT_RECEIPTS = 16;

/** The first of these that is known: what the message itself was given, or what its receipt handle says. */
export function receivedAs(message: unknown): Received | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  return Note.of(message) ?? receivedBy((message as { ReceiptHandle?: unknown }).ReceiptHandle);
}

export function receivedBy(handle: unknown): Received | undefined {
  if (typeof handle !== 'string') return undefined;
  const at = recentAt(handle);
  return at === undefined ? (byHandle.get(handle) ?? kept.get(handle)) : recent[at];
}

/** The delivery of a message, or of a copy of it; of a Lambda event's record as well. */
export function deliveryFor(message: unknown): Delivery | undefined {
  return deliveryOf(message) ?? (receivedAs(message) ?? receivedAsRecord(message))?.delivery;
}

function receivedAsRecord(message: unknown): Received | undefined {
  const { receiptHandle, messageId } = (message ?? {}) as { receiptHandle?: unknown; messageId?: unknown };
  const received = receivedBy(receiptHandle);
  // Records of sample events share one handle.
  return received?.messageId === messageId ? received : undefined;
}

/**
 * Attaches what is known to a message, unseen by whoever has it. In place of what was known of an earlier delivery of the
 * same object, by a middleware that keeps answers.
 */
export function note(message: object, received: Received): void {
  if (Object.isExtensible(message)) Note.put(message, received);
}

/** What this very object was delivered with. */
export function noted(message: object): Received | undefined {
  return Note.of(message);
}

/** Keeps what is known for those who have no more than a copy, or the receipt. */
export function rememberReceipt(handle: unknown, received: Received): void {
  if (typeof handle !== 'string') return;
  const former = recent[nextRecent];
  received.handle = handle;
  recent[nextRecent] = received;
  nextRecent = (nextRecent + 1) % RECENT_RECEIPTS;
  if (former !== undefined) keep(former);
}

/** The message is deleted: nobody will ask again. */
export function forgetReceipt(handle: unknown): void {
  if (typeof handle !== 'string') return;
  kept.delete(handle);
  const at = recentAt(handle);
  if (at === undefined) byHandle.delete(handle);
  else recent[at] = undefined;
}

/** Keeps what is known for as long as somebody says: of events that may have more messages than are remembered otherwise. */
export function keepReceipt(handle: unknown, received: Received): void {
  if (typeof handle === 'string') kept.set(handle, received);
}

const kept = new Map<string, Received>();

/** The newest receipts, as a ring. Most are asked for soon, and looking through a few is a tenth of the work of a Map. */
const recent: (Received | undefined)[] = new Array(RECENT_RECEIPTS).fill(undefined);
let nextRecent = 0;

function recentAt(handle: string): number | undefined {
  for (let i = 1; i <= RECENT_RECEIPTS; i++) {
    const at = (nextRecent - i + RECENT_RECEIPTS) % RECENT_RECEIPTS;
    if (recent[at]?.handle === handle) return at;
  }
  return undefined;
}

function keep(received: Received): void {
  const { handle } = received;
  const oldest = handles[next];
  if (oldest !== undefined && byHandle.get(oldest)?.slot === next) byHandle.delete(oldest);
  handles[next] = handle;
  received.slot = next;
  next = (next + 1) % (MAX_RECEIPTS - RECENT_RECEIPTS);
  byHandle.set(handle, received);
}

const byHandle = new Map<string, Received>();
/**
 * In the order of their arrival, as a ring: asking a Map for its oldest entry walks over all that were deleted. No more than
 * their texts, so that what is known of a deleted message can go.
 */
const handles: string[] = [];
let next = 0;

/** A private field on an object of somebody else: seen by no reflection, and a tenth of the cost of a WeakMap. */
class Note extends Given {
  #received: Received;

  private constructor(message: object, received: Received) {
    super(message);
    this.#received = received;
  }

  static of(message: object): Received | undefined {
    return #received in message ? (message as Note).#received : undefined;
  }

  static put(message: object, received: Received): void {
    if (#received in message) (message as Note).#received = received;
    else new Note(message, received);
  }
}
