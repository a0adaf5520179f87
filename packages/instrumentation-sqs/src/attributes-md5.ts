/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { createHash } from 'node:crypto';
import type { MessageAttribute, MessageAttributes } from './message-attributes';

/**
 * The checksum that the service answers with for these attributes; undefined for none, and where MD5 is not to be had
 * (FIPS).
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
 */
export function attributesMd5(attributes: MessageAttributes | null | undefined): string | undefined {
  if (attributes === undefined || attributes === null) return undefined;
  // The client leaves out what is null.
  const names = Object.keys(attributes).filter((name) => attributes[name] != null);
  if (names.length === 0) return undefined;
  try {
    const hash = createHash('md5');
    const add = (bytes: Uint8Array) => hash.update(lengthOf(bytes)).update(bytes);
    for (const name of names.sort()) {
      const { DataType, StringValue, BinaryValue } = attributes[name] as MessageAttribute;
      add(Buffer.from(name));
      add(Buffer.from(DataType ?? ''));
      const isBinary = BinaryValue !== undefined && BinaryValue !== null; // what is null is left out here, too
      hash.update(Buffer.of(isBinary ? BINARY : STRING));
      add(bytesOf(BinaryValue ?? StringValue ?? ''));
    }
    return hash.digest('hex');
  } catch {
    return undefined;
  }
}

const STRING = 1;
const BINARY = 2;

/** Clients take a text for bytes, too. */
function bytesOf(value: Uint8Array | string): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value) : value;
}

function lengthOf(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.byteLength);
  return length;
}
