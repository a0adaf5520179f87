/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Telemetry } from '@otel-messaging/messaging-common';
import { deleteMessage, deleteMessageBatch } from './delete-calls';
import type { Queue } from './queue';
import { receiveMessage } from './receive-call';
import { sendMessage, sendMessageBatch } from './send-calls';
import type { Command, TracedCall } from './traced-call';

/** A class of commands that is traced. */
export interface CommandType {
  /** Undefined for what is better left to the client as it is. */
  trace(telemetry: Telemetry, queue: Queue, command: Command): TracedCall | undefined;
  /** A class of the application, which extends one of the client's. */
  readonly isSubclass: boolean;
}

const TRACED: Readonly<Record<string, CommandType['trace']>> = {
  SendMessageCommand: sendMessage,
  SendMessageBatchCommand: sendMessageBatch,
  ReceiveMessageCommand: receiveMessage,
  DeleteMessageCommand: deleteMessage,
  DeleteMessageBatchCommand: deleteMessageBatch,
};

/**
 * The type of a command that is traced. By the names of its class and those it extends: a command may come from another
 * copy of the package.
 */
export function commandTypeOf(command: unknown): CommandType | undefined {
  try {
    const type = (command as object | undefined)?.constructor;
    if (typeof type !== 'function') return undefined;
    const known = byClass.get(type);
    if (known !== undefined) return known || undefined;
    const found = typeOf(type);
    byClass.set(type, found ?? false);
    return found;
  } catch {
    return undefined; // a hostile getter; the client meets it next
  }
}

const byClass = new WeakMap<object, CommandType | false>();

function typeOf(type: Function): CommandType | undefined {
  for (let at: unknown = type; typeof at === 'function'; at = Object.getPrototypeOf(at)) {
    const trace = Object.hasOwn(TRACED, at.name) ? TRACED[at.name] : undefined;
    if (trace !== undefined) return { trace, isSubclass: at !== type };
  }
  return undefined;
}
