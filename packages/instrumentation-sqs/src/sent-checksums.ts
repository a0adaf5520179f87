/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { attributesMd5 } from './attributes-md5';
import { copyOf } from './copies';
import type { MessageAttributes } from './message-attributes';
import type { OutgoingMessage } from './outgoing-message';

/**
 * An answer with the checksums of the message that the application sent, which may verify them; those of the service
 * are of the copy that carries a context. In the order of the service's own answer.
 */
export function withOwnChecksums<T extends object>(answer: T, message: OutgoingMessage): T {
  const copy: Record<string, unknown> = {};
  for (const name in answer) {
    if (!Object.hasOwn(answer, name)) continue;
    const isSystem = name === 'MD5OfMessageSystemAttributes';
    if (!isSystem && name !== 'MD5OfMessageAttributes') copy[name] = answer[name];
    else if (answer[name] !== undefined) {
      const sent = isSystem ? message.MessageSystemAttributes : message.MessageAttributes;
      const checksum = attributesMd5(sent as MessageAttributes | undefined);
      if (checksum !== undefined) copy[name] = checksum;
    }
  }
  return copy as T;
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
