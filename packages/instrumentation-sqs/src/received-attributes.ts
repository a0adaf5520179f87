/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { attributesMd5 } from './attributes-md5';
import { copyOf, copyWithout, type Writable } from './copies';
import { DATADOG } from './envelope';
import type { IncomingMessage } from './incoming-message';
import { TRACE_HEADER } from './x-ray';

/** The fields of `ReceiveMessage` that say how many messages are to come, and what with them. */
export interface ReceiveRequest {
  readonly MaxNumberOfMessages?: unknown;
  readonly MessageAttributeNames?: unknown;
  readonly MessageSystemAttributeNames?: unknown;
  /** The older name of `MessageSystemAttributeNames`. */
  readonly AttributeNames?: unknown;
}

export type SystemNamesField = 'MessageSystemAttributeNames' | 'AttributeNames';

/** System attributes that tell of a message's trace, its time in the queue, its attempts and its death. */
const SYSTEM_NAMES: readonly string[] = [
  TRACE_HEADER,
  'SentTimestamp',
  'ApproximateReceiveCount',
  'DeadLetterQueueSourceArn',
];

/** What an application asked for, and how to give it just that after asking for more. */
export class AskedAttributes {
  private readonly names: readonly string[];
  private readonly systemNames: readonly string[];
  private readonly isAllSystemAsked: boolean;

  /** @param systemField the field to use where the application used neither */
  constructor(
    { MessageAttributeNames, MessageSystemAttributeNames, AttributeNames }: ReceiveRequest,
    private readonly systemField: SystemNamesField,
  ) {
    this.names = textsIn(MessageAttributeNames);
    this.systemNames =
      AttributeNames === undefined
        ? textsIn(MessageSystemAttributeNames)
        : [...textsIn(MessageSystemAttributeNames), ...textsIn(AttributeNames)];
    this.isAllSystemAsked = this.systemNames.includes('All');
  }

  /**
   * A copy of the request that asks for all that we read as well.
   * @param fields of the propagator
   */
  extended(request: ReceiveRequest, fields: readonly string[]): ReceiveRequest {
    const copy: Writable<ReceiveRequest> = copyOf(request);
    copy.MessageAttributeNames = added(copy.MessageAttributeNames, this.missing(carrierNames(fields)));
    const field = fieldIn(copy) ?? this.systemField;
    copy[field] = added(copy[field], this.missingSystem());
    return copy;
  }

  /** A received message less what the application did not ask for; the message itself if that is nothing. */
  visible(message: IncomingMessage): IncomingMessage {
    const { Attributes, MessageAttributes } = message;
    const system = Attributes && this.visibleSystem(Attributes);
    const attributes = MessageAttributes && this.visibleAttributes(MessageAttributes);
    if (system === Attributes && attributes === MessageAttributes) return message;
    const copy = bare(message);
    // In the order of the service's own answer.
    if (system !== undefined) copy.Attributes = system;
    if (attributes === undefined) return copy;
    const checksum = attributes === MessageAttributes ? message.MD5OfMessageAttributes : attributesMd5(attributes);
    if (checksum !== undefined) copy.MD5OfMessageAttributes = checksum;
    copy.MessageAttributes = attributes;
    return copy;
  }

  private visibleAttributes<T extends object>(attributes: T): T | undefined {
    return this.names.length === 0 ? undefined : filtered(attributes, (name) => isAsked(name, this.names));
  }

  private visibleSystem<T extends object>(attributes: T): T | undefined {
    if (this.isAllSystemAsked) return attributes;
    return this.systemNames.length === 0 ? undefined : filtered(attributes, (name) => this.systemNames.includes(name));
  }

  private missing(names: readonly string[]): readonly string[] {
    return this.names.length === 0 ? names : names.filter((name) => !isAsked(name, this.names));
  }

  private missingSystem(): readonly string[] {
    if (this.systemNames.length === 0) return SYSTEM_NAMES;
    return this.isAllSystemAsked ? [] : SYSTEM_NAMES.filter((name) => !this.systemNames.includes(name));
  }
}

/** The field that the application used, the newer one of both. */
function fieldIn({ MessageSystemAttributeNames, AttributeNames }: ReceiveRequest): SystemNamesField | undefined {
  if (MessageSystemAttributeNames !== undefined) return 'MessageSystemAttributeNames';
  return AttributeNames === undefined ? undefined : 'AttributeNames';
}

/** What a request asks for. Most ask for nothing, which is the same each time. */
export function askedBy(request: ReceiveRequest, systemField: SystemNamesField): AskedAttributes {
  const { MessageAttributeNames, MessageSystemAttributeNames, AttributeNames } = request;
  const asksForNothing =
    isNothing(MessageAttributeNames) && isNothing(MessageSystemAttributeNames) && isNothing(AttributeNames);
  return asksForNothing ? NOTHING_ASKED[systemField] : new AskedAttributes(request, systemField);
}

/**
 * The request less the fields of a context that it has come to ask for since the call began: upstream's instrumentation, where it
 * is registered too, adds them to the application's own request.
 * @param began the attribute names that the application asked for
 */
export function withoutAddedFields<R extends ReceiveRequest>(request: R, began: unknown, fields: readonly string[]): R {
  const { MessageAttributeNames: names } = request;
  if (names === began || !Array.isArray(names)) return request;
  const isAdded = (name: unknown) => fields.includes(name as string) && !(Array.isArray(began) && began.includes(name));
  return names.some(isAdded)
    ? Object.assign(copyOf(request), { MessageAttributeNames: names.filter((name) => !isAdded(name)) })
    : request;
}

function isNothing(names: unknown): boolean {
  return names === undefined || (Array.isArray(names) && names.length === 0);
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

/** Names of all attributes that may carry a context; the same list for as long as the fields are. */
function carrierNames(fields: readonly string[]): readonly string[] {
  if (fields !== knownFields) {
    knownFields = fields;
    knownNames = [...new Set([...fields, 'traceparent', 'tracestate', 'baggage', DATADOG])];
  }
  return knownNames;
}

let knownFields: readonly string[] | undefined;
let knownNames: readonly string[] = [];

/** A request field with more names; a value that is no list is left to the client to complain of. */
function added(value: unknown, names: readonly string[]): unknown {
  if (value === undefined || value === null) return names.length === 0 ? value : names;
  return Array.isArray(value) && names.length > 0 ? [...value, ...names] : value;
}

/** The same object if all of it stays, undefined if nothing does. */
function filtered<T extends object>(attributes: T, stays: (name: string) => boolean): T | undefined {
  const names = Object.keys(attributes);
  const staying = names.filter(stays);
  if (staying.length === names.length) return attributes;
  if (staying.length === 0) return undefined;
  return copyWithout(attributes, (name) => !staying.includes(name));
}

/** A copy of a message without its attributes. */
function bare(message: IncomingMessage): Writable<IncomingMessage> {
  let at = 0;
  for (const name in message) {
    if (name === BARE[at]) at++;
    else if (!isOfAttributes(name)) return copyWithout(message, isOfAttributes);
  }
  if (at < BARE.length) return copyWithout(message, isOfAttributes);
  // What services answer, made in one piece: a tenth of the time.
  const { MessageId, ReceiptHandle, MD5OfBody, Body } = message;
  return { MessageId, ReceiptHandle, MD5OfBody, Body };
}

const BARE: readonly string[] = ['MessageId', 'ReceiptHandle', 'MD5OfBody', 'Body'];

function isOfAttributes(name: string): boolean {
  return name === 'Attributes' || name === 'MessageAttributes' || name === 'MD5OfMessageAttributes';
}

function textsIn(names: unknown): readonly string[] {
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : NONE;
}

const NONE: readonly string[] = [];

const NOTHING_ASKED: Readonly<Record<SystemNamesField, AskedAttributes>> = {
  MessageSystemAttributeNames: new AskedAttributes({}, 'MessageSystemAttributeNames'),
  AttributeNames: new AskedAttributes({}, 'AttributeNames'),
};
