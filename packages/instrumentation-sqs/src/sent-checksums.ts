/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { attributesMd5 } from './attributes-md5';
import { copyOf, copyWithout, type Writable } from './copies';
import type { MessageAttributes } from './message-attributes';
import type { OutgoingMessage } from './outgoing-message';

/** The checksums in an answer to a send, or to one entry of a batch. */
interface Checksums {
  readonly MD5OfMessageAttributes?: string;
  readonly MD5OfMessageSystemAttributes?: string;
}

/**
 * An answer with the checksums of the message that the application sent, which may verify them; those of the service
 * are of the copy that carries a context.
 */
export function withOwnChecksums<T extends object>(answer: T, message: OutgoingMessage): T {
  const attributes = attributesMd5(message.MessageAttributes as MessageAttributes | undefined);
  const system = attributesMd5(message.MessageSystemAttributes as MessageAttributes | undefined);
  const own: Writable<Checksums> = copyWithout(answer, isChecksum);
  const { MD5OfMessageAttributes, MD5OfMessageSystemAttributes } = answer as Checksums;
  if (attributes !== undefined && MD5OfMessageAttributes !== undefined) own.MD5OfMessageAttributes = attributes;
  if (system !== undefined && MD5OfMessageSystemAttributes !== undefined) own.MD5OfMessageSystemAttributes = system;
  return own as T;
}

/** The answer to a batch, in the same way. */
export function withOwnBatchChecksums<T extends object>(answer: T, entries: readonly OutgoingMessage[]): T {
  const { Successful } = answer as { readonly Successful?: unknown };
  if (!Array.isArray(Successful)) return answer;
  const copy = copyOf(answer) as { Successful?: unknown };
  copy.Successful = Successful.map((one) => {
    const entry = entries.find((candidate) => (candidate as { readonly Id?: unknown }).Id === one?.Id);
    return entry === undefined ? one : withOwnChecksums(one, entry);
  });
  return copy as T;
}

function isChecksum(name: string): boolean {
  return name === 'MD5OfMessageAttributes' || name === 'MD5OfMessageSystemAttributes';
}
