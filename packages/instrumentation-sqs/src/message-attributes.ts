/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

/** An attribute of a message, as the client writes and reads it. */
export interface MessageAttribute {
  readonly DataType?: string;
  readonly StringValue?: string;
  readonly BinaryValue?: Uint8Array;
}

export type MessageAttributes = Readonly<Record<string, MessageAttribute>>;

/** How many attributes a client may send of these: none that is null, but some send those too that the object inherits. */
export function countOf(attributes: MessageAttributes): number {
  let count = 0;
  for (const name in attributes) if (attributes[name] != null) count++;
  return count;
}

/** Some attributes in an object that inherits what the original does. */
export function likeIt(original: MessageAttributes, attributes: MessageAttributes): MessageAttributes {
  const prototype = Object.getPrototypeOf(original);
  if (prototype === Object.prototype || prototype === null) return attributes;
  return Object.create(prototype, Object.getOwnPropertyDescriptors(attributes));
}

/** A copy with more attributes. */
export function withMore(attributes: MessageAttributes, more: MessageAttributes): MessageAttributes {
  // An attribute may have any name, this one too. Not always a spread, which takes eight times as long.
  const all = Object.hasOwn(attributes, '__proto__') ? { ...attributes, ...more } : Object.assign({}, attributes, more);
  return likeIt(attributes, all);
}

/** Whether the client takes it for an attribute, or leaves it out. */
export function isAttribute(attribute: unknown): boolean {
  if (attribute === undefined || attribute === null) return true;
  if (typeof attribute !== 'object') return false;
  const { DataType, StringValue, BinaryValue } = attribute as MessageAttribute;
  return typeof DataType === 'string' && (typeof StringValue === 'string' || BinaryValue instanceof Uint8Array);
}

/** The text of an attribute, String or Binary; its name in any letter case. */
export function attributeText(attributes: unknown, name: string): string | undefined {
  if (typeof attributes !== 'object' || attributes === null) return undefined;
  if (Object.hasOwn(attributes, name)) return textOf((attributes as MessageAttributes)[name]);
  // Most names are told apart by their length, without a list of them and without texts in lower case.
  for (const key in attributes) {
    if (key.length !== name.length || key.toLowerCase() !== name.toLowerCase()) continue;
    if (Object.hasOwn(attributes, key)) return textOf((attributes as MessageAttributes)[key]);
  }
  return undefined;
}

export function attributeNames(attributes: unknown): string[] {
  return typeof attributes === 'object' && attributes !== null ? Object.keys(attributes) : [];
}

function textOf(attribute: unknown): string | undefined {
  if (typeof attribute !== 'object' || attribute === null) return undefined;
  const { StringValue, BinaryValue } = attribute as MessageAttribute;
  if (typeof StringValue === 'string') return StringValue === '' ? undefined : StringValue;
  if (!(BinaryValue instanceof Uint8Array) || BinaryValue.byteLength > MAX_BINARY_BYTES) return undefined;
  return Buffer.from(BinaryValue.buffer, BinaryValue.byteOffset, BinaryValue.byteLength).toString('utf8');
}

/** No carrier is longer; what is, is the application's data and not worth decoding. */
const MAX_BINARY_BYTES = 16_384;
