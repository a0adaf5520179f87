/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { propagation } from '@opentelemetry/api';
import { attributesMd5 } from './attributes-md5';
import { copyWith } from './copies';
import { DATADOG } from './envelope';
import type { IncomingMessage } from './incoming-message';
import type { MessageAttributes } from './message-attributes';
import { TRACE_HEADER } from './x-ray';

/** The fields of `ReceiveMessage` that say what is to come with a message. */
export interface ReceiveRequest {
  readonly MessageAttributeNames?: unknown;
  readonly MessageSystemAttributeNames?: unknown;
  /** The older name of `MessageSystemAttributeNames`. */
  readonly AttributeNames?: unknown;
}

export type SystemNamesField = 'MessageSystemAttributeNames' | 'AttributeNames';

/** System attributes that tell of a message's trace, its time in the queue, its attempts and its death. */
const SYSTEM_NAMES = [TRACE_HEADER, 'SentTimestamp', 'ApproximateReceiveCount', 'DeadLetterQueueSourceArn'];

/** What an application asked for, and how to give it just that after asking for more. */
export class AskedAttributes {
  private readonly names: readonly string[];
  private readonly systemNames: readonly string[];

  /** @param systemField the field to use where the application used neither */
  constructor(
    private readonly request: ReceiveRequest,
    private readonly systemField: SystemNamesField,
  ) {
    this.names = textsIn(request.MessageAttributeNames);
    this.systemNames = [...textsIn(request.MessageSystemAttributeNames), ...textsIn(request.AttributeNames)];
  }

  /** A copy of the request that asks for all that we read as well. */
  extended(): ReceiveRequest {
    const { request } = this;
    const names = [...new Set([...propagation.fields(), 'traceparent', 'tracestate', 'baggage', DATADOG])];
    const field =
      request.MessageSystemAttributeNames === undefined && request.AttributeNames !== undefined
        ? 'AttributeNames'
        : this.systemField;
    return copyWith(request, {
      ...added(
        'MessageAttributeNames',
        request.MessageAttributeNames,
        names.filter((name) => !isAsked(name, this.names)),
      ),
      ...added(
        field,
        request[field],
        SYSTEM_NAMES.filter((name) => !this.isSystemAsked(name)),
      ),
    });
  }

  /** Takes out of a received message what the application did not ask for. */
  hide(message: IncomingMessage): void {
    const { Attributes, MessageAttributes } = message;
    const system = Attributes && filtered(Attributes, (name) => this.isSystemAsked(name));
    if (system !== Attributes) replace(message, 'Attributes', system);
    const attributes = MessageAttributes && filtered(MessageAttributes, (name) => isAsked(name, this.names));
    if (attributes === MessageAttributes) return;
    replace(message, 'MessageAttributes', attributes);
    if (message.MD5OfMessageAttributes !== undefined) {
      replace(message, 'MD5OfMessageAttributes', attributesMd5(attributes as MessageAttributes));
    }
  }

  private isSystemAsked(name: string): boolean {
    return this.systemNames.includes(name) || this.systemNames.includes('All');
  }
}

/** `foo.*` asks for the prefix `foo`, without the dot. */
function isAsked(name: string, asked: readonly string[]): boolean {
  return asked.some(
    (wanted) =>
      wanted === name ||
      wanted === 'All' ||
      wanted === '.*' ||
      (wanted.endsWith('.*') && name.startsWith(wanted.slice(0, -2))),
  );
}

/** A request field with more names; a value that is no list is left to the client to complain of. */
function added(field: string, value: unknown, names: readonly string[]): Record<string, readonly unknown[]> {
  if (names.length === 0 || !(value === undefined || value === null || Array.isArray(value))) return {};
  return { [field]: [...(value ?? []), ...names] };
}

/** The same object if all of it stays, undefined if nothing does. */
function filtered<T extends object>(attributes: T, stays: (name: string) => boolean): T | undefined {
  const names = Object.keys(attributes);
  const staying = names.filter(stays);
  if (staying.length === names.length) return attributes;
  if (staying.length === 0) return undefined;
  return Object.fromEntries(staying.map((name) => [name, (attributes as Record<string, unknown>)[name]])) as T;
}

function replace<K extends keyof IncomingMessage>(message: IncomingMessage, field: K, value: IncomingMessage[K]): void {
  if (value === undefined) delete message[field];
  else message[field] = value;
}

function textsIn(names: unknown): readonly string[] {
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
}
