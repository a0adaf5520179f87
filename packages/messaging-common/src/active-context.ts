/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { AsyncLocalStorage } from 'node:async_hooks';
import type { Context } from '@opentelemetry/api';
import { contexts } from './otel';

/** A context that was made active; the method that it has undoes it. */
export interface Attachment {
  dispose?(): void;
  [Symbol.dispose]?(): void;
}

/**
 * Makes the context active for the rest of this asynchronous execution; undefined where that cannot be done.
 * @param earlier what it takes the place of; `detach` then goes back to what was active before that
 * @param previous what to go back to in place of what is active now
 */
export function attach(context: Context, earlier: Attachment | undefined, previous?: Context): Attachment | undefined {
  if (earlier instanceof StorageAttachment) {
    earlier.storage.enterWith(context);
    return earlier;
  }
  if (earlier !== undefined) detach(earlier);
  const storage = storageInForce();
  if (storage === undefined) {
    const manager = contexts() as unknown as Attaching;
    return typeof manager.attach === 'function' ? manager.attach(context) : undefined;
  }
  const attachment = new StorageAttachment(storage, previous ?? storage.getStore());
  storage.enterWith(context);
  return attachment;
}

/** The same, never to be undone. */
export function enter(context: Context): void {
  const storage = storageInForce();
  if (storage !== undefined) storage.enterWith(context);
  else (contexts() as unknown as Attaching).attach?.(context);
}

/** Whether the context that was made active is so here, too. */
export function isActive(context: Context, attachment: Attachment): boolean {
  const active = attachment instanceof StorageAttachment ? attachment.storage.getStore() : contexts().active();
  return active === context;
}

/** Makes the context active where nothing has to be undone, ever: not where attachments nest. Never throws. */
export function enterUnbound(context: Context): void {
  try {
    storageInForce()?.enterWith(context);
  } catch {
    // Then the context that was active stays so.
  }
}

/** Never throws. */
export function detach(attachment: Attachment): void {
  try {
    if (attachment.dispose !== undefined) attachment.dispose();
    else attachment[Symbol.dispose]?.();
  } catch {
    // A context manager that lets nobody out has told so where it let us in.
  }
}

class StorageAttachment implements Attachment {
  constructor(
    readonly storage: AsyncLocalStorage<Context>,
    private readonly previous: Context | undefined,
  ) {}

  dispose(): void {
    this.storage.enterWith(this.previous as Context);
  }
}

/** `context.attach` of @opentelemetry/api 1.10. */
interface Attaching {
  attach?(context: Context): Attachment;
}

/** AsyncLocalStorageContextManager of SDK 1.x and 2.x keeps its storage under this name. */
function storageInForce(): AsyncLocalStorage<Context> | undefined {
  return (contexts() as { readonly _asyncLocalStorage?: AsyncLocalStorage<Context> })._asyncLocalStorage;
}
