/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { MessageAttribute, MessageAttributes } from './message-attributes';
import type { Fields } from './written-fields';

/**
 * Names of fields to try in turn. No partial carriers: a context is whole without baggage and trace state, and no smaller.
 */
export function rungs(names: readonly string[]): readonly (readonly string[])[] {
  if (names.length === 1) return [names]; // most contexts have neither baggage nor trace state
  const withoutBaggage = names.filter((name) => name !== 'baggage');
  return [
    names,
    withoutBaggage,
    withoutBaggage.filter((name) => name !== 'tracestate'),
    names.filter((name) => name === 'traceparent'),
  ];
}

/** Fields as attributes; undefined if there are none, or the service would refuse the name or value of one. */
export function carrierAttributes(names: readonly string[], fields: Fields): MessageAttributes | undefined {
  if (names.length === 0) return undefined;
  const attributes: Record<string, MessageAttribute> = {};
  for (const name of names) {
    const value = fields[name] as string;
    if (!isSendable(name, value)) return undefined;
    attributes[name] = stringAttribute(value);
  }
  return attributes;
}

function isSendable(name: string, value: string): boolean {
  if (name === 'traceparent') return value !== '';
  return value !== '' && !UNSENDABLE.test(value) && NAME.test(name) && !RESERVED.test(name);
}

/** @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
const NAME = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;
const RESERVED = /^(aws|amazon)\./i;
const UNSENDABLE = /[^\t\n\r\u0020-\uFFFD]/;

function stringAttribute(text: string): MessageAttribute {
  return { DataType: 'String', StringValue: text };
}
