/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { BoundedMap, type Delivery, deliveryOf } from '@otel-messaging/messaging-common';

/** What is known of a message that was received, some of it no longer to be seen in the message itself. */
export interface Received {
  readonly delivery: Delivery;
  readonly messageId: string | undefined;
  /** System attributes, those that the application did not ask for included. */
  readonly system: Readonly<Record<string, string | undefined>> | undefined;
  /** Id of the request that brought the message. */
  readonly requestId: string | undefined;
}

/** For those who hold the message. */
const byMessage = new WeakMap<object, Received>();

/** For those who hold a copy, or no more than the receipt. Few are waited for; the limit is for those that never come back. */
const byHandle = new BoundedMap<string, Received>(1000);

export function remember(message: { readonly ReceiptHandle?: unknown }, received: Received): void {
  byMessage.set(message, received);
  if (typeof message.ReceiptHandle === 'string') byHandle.add(message.ReceiptHandle, received);
}

/** What is known of a message, or of a copy of it. */
export function receivedAs(message: unknown): Received | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  return byMessage.get(message) ?? receivedBy((message as { ReceiptHandle?: unknown }).ReceiptHandle);
}

export function receivedBy(handle: unknown): Received | undefined {
  return typeof handle === 'string' ? byHandle.get(handle) : undefined;
}

/** The message is deleted: nobody will ask again. */
export function forget(handle: unknown): void {
  if (typeof handle === 'string') byHandle.delete(handle);
}

/** The delivery of a message, or of a copy of it. */
export function deliveryFor(message: unknown): Delivery | undefined {
  return deliveryOf(message) ?? receivedAs(message)?.delivery;
}
