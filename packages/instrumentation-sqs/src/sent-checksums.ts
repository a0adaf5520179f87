/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { attributesMd5 } from './attributes-md5';
import type { MessageAttributes } from './message-attributes';
import type { OutgoingMessage } from './outgoing-message';

/**
 * Makes the checksums in an answer those of the message that the application sent, which may verify them; the answer's
 * own are those of the copy that carries a context.
 */
export function restoreChecksums(answer: unknown, message: OutgoingMessage, copy: OutgoingMessage): void {
  if (copy === message || typeof answer !== 'object' || answer === null) return;
  restore(answer, 'MD5OfMessageAttributes', message.MessageAttributes, copy.MessageAttributes);
  restore(answer, 'MD5OfMessageSystemAttributes', message.MessageSystemAttributes, copy.MessageSystemAttributes);
}

/** @param copies what was sent in place of the entries, in their order */
export function restoreBatchChecksums(
  answer: unknown,
  entries: readonly OutgoingMessage[],
  copies: readonly OutgoingMessage[],
): void {
  const { Successful } = (answer ?? {}) as { readonly Successful?: unknown };
  if (!Array.isArray(Successful)) return;
  const indexes = new Map(entries.map((entry, i) => [(entry as { readonly Id?: unknown }).Id, i]));
  for (const one of Successful) {
    const i = indexes.get(one?.Id);
    if (i !== undefined) restoreChecksums(one, entries[i] as OutgoingMessage, copies[i] as OutgoingMessage);
  }
}

function restore(answer: object, field: string, own: unknown, sent: unknown): void {
  if (own === sent || !Object.hasOwn(answer, field)) return;
  const checksum = attributesMd5(own as MessageAttributes);
  if (checksum === undefined) delete (answer as Record<string, unknown>)[field];
  else (answer as Record<string, unknown>)[field] = checksum;
}
