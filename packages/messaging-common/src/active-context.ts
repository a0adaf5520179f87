/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { AsyncLocalStorage } from 'node:async_hooks';
import { type Context, context as contextApi } from '@opentelemetry/api';

/** Makes the context active for the rest of this asynchronous execution; the result undoes it. */
export function attach(context: Context): () => void {
  const api = contextApi as unknown as Attaching;
  if (typeof api.attach === 'function') {
    const token = api.attach(context);
    return () => token[Symbol.dispose]?.() ?? token.dispose?.();
  }
  const storage = (contextApi as unknown as ManagerHolder)._getContextManager?.()._asyncLocalStorage;
  if (storage === undefined) return nothing; // another kind of manager: spans are made, but not active
  const previous = storage.getStore();
  storage.enterWith(context);
  return () => storage.enterWith(previous as Context);
}

function nothing(): void {}

/** `context.attach` of @opentelemetry/api 1.10. */
interface Attaching {
  attach?(context: Context): { [Symbol.dispose]?(): void; dispose?(): void };
}

/** AsyncLocalStorageContextManager of SDK 1.x and 2.x keeps its storage under this name. */
interface ManagerHolder {
  _getContextManager?(): { _asyncLocalStorage?: AsyncLocalStorage<Context> };
}
