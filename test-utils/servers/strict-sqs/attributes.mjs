/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// Which attributes a receiver gets, and the checksum over them that clients verify.

import { createHash } from 'node:crypto';
import { isBinary } from './rules.mjs';

/** The attributes among `all` that `names` ask for. Amazon takes `foo.*` as the prefix `foo`, without the dot. */
export function requested(all = {}, names = []) {
  const asked = (name) =>
    names.some(
      (wanted) =>
        wanted === 'All' ||
        wanted === '.*' ||
        wanted === name ||
        (wanted.endsWith('.*') && name.startsWith(wanted.slice(0, -2))),
    );
  return Object.fromEntries(Object.entries(all).filter(([name]) => asked(name)));
}

/** @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html */
export function attributesMd5(attributes) {
  const hash = createHash('md5');
  const add = (value) => {
    const bytes = Buffer.from(value);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  };
  for (const name of Object.keys(attributes).sort()) {
    const attribute = attributes[name];
    add(name);
    add(attribute.DataType);
    hash.update(Buffer.of(isBinary(attribute) ? 2 : 1));
    add(isBinary(attribute) ? Buffer.from(attribute.BinaryValue, 'base64') : attribute.StringValue);
  }
  return hash.digest('hex');
}
