/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { CarrierKind, MessageFacts, MessageWriter, OutgoingContext } from '@otel-messaging/messaging-common';
import { carrierAttributes, rungs } from './carrier-attributes';
import { SERVICE_LIMITS_BYTES, type SqsOptions } from './config';
import { copyOf, copyWithout, type Writable } from './copies';
import { OwnTraceHeader } from './foreign-header';
import { lineage } from './invocation';
import {
  attributeNames,
  attributeText,
  countOf,
  isAttribute,
  likeIt,
  type MessageAttributes,
  withMore,
} from './message-attributes';
import { atMost, attributesSize, type BatchSize, bodySize, exactly, messageSize, type Sized } from './message-size';
import { type Fields, writtenFields } from './written-fields';
import { formatTraceHeader, TRACE_HEADER } from './x-ray';

/** What `SendMessage`, `Publish` and each entry of their batches have in common. */
export interface OutgoingMessage extends Sized {
  readonly MessageSystemAttributes?: unknown;
}

export type WriterOptions = Pick<SqsOptions, 'awsTraceHeader' | 'maxMessageBytes'> & {
  readonly captureBodySize: boolean;
};

/** The service's limit of attributes per message. */
const MAX_ATTRIBUTES = 10;

/**
 * Writes contexts into messages that are to be sent, as far as they have room: all fields, else without baggage, without
 * trace state, `traceparent` alone; and the X-Ray header, which counts toward no limit.
 */
export class OutgoingWriter implements MessageWriter<OutgoingMessage> {
  /**
   * @param written what the propagator in force writes
   * @param left told how much of a context each message leaves with
   * @param batch of the message, if it is an entry of one
   */
  constructor(
    private readonly options: WriterOptions,
    private readonly written: () => Fields = writtenFields,
    private readonly left?: (carrier: CarrierKind) => void,
    private readonly batch?: BatchSize,
  ) {}

  get answersPerMessage(): boolean {
    return this.batch !== undefined;
  }

  get(message: OutgoingMessage, field: string): string | undefined {
    return attributeText(message.MessageAttributes, field);
  }

  keys(message: OutgoingMessage): string[] {
    return attributeNames(message.MessageAttributes);
  }

  describe(message: OutgoingMessage): MessageFacts {
    return this.options.captureBodySize ? { bodySize: bodySize(message, exactly) } : {};
  }

  canCarry(message: OutgoingMessage): boolean {
    const canCarry = isWritable(message) && this.hasRoom(message);
    if (!canCarry) this.left?.('none');
    return canCarry;
  }

  write(message: OutgoingMessage, { fields, stale, spanContext }: OutgoingContext): OutgoingMessage | undefined {
    const { MessageAttributes: attributes } = message as WritableMessage;
    const fitting = this.fitting(message as WritableMessage, stale, fields);
    const rung = fitting?.rung;
    const kept = fitting === undefined ? keptBeside(attributes, NOTHING, stale, fields) : fitting.kept;
    const hasHeader = this.headerIsFree(message, rung !== undefined);
    if (rung === undefined && !hasHeader) {
      this.left?.('none'); // an earlier entry of the batch has taken the last bytes
      return undefined;
    }
    const copy: Writable<WritableMessage> = copyOf(message as WritableMessage);
    if (rung !== undefined) {
      copy.MessageAttributes = kept === undefined ? rung : withMore(kept, rung);
      this.batch?.add(rung);
    } else if (kept !== attributes) {
      copy.MessageAttributes = kept; // fields of an older context must not stay beside a header that tells another
    }
    if (hasHeader) {
      this.putHeader(copy, formatTraceHeader(spanContext) + lineage());
    }
    this.left?.(rung === undefined ? 'trace_header' : kindOf(rung, fields));
    return copy;
  }

  protected putHeader(copy: Writable<OutgoingMessage>, text: string): void {
    const header = new OwnTraceHeader(text);
    const { MessageSystemAttributes: system } = copy;
    copy.MessageSystemAttributes = system
      ? Object.assign({}, system, { [TRACE_HEADER]: header })
      : { AWSTraceHeader: header };
  }

  private hasRoom(message: WritableMessage): boolean {
    const fields = this.written();
    const { MessageAttributes: attributes } = message;
    // What is no attribute is the client's to refuse, not ours to replace.
    if (attributes && !areAttributes(attributes, fields)) return false;
    if (this.headerIsFree(message, false)) return Object.keys(fields).length > 0;
    return this.fitting(message, W3C, fields) !== undefined;
  }

  /** The most of the fields that fit beside the attributes that stay, as attributes; and those that stay. */
  private fitting(message: WritableMessage, stale: readonly string[], fields: Fields): Fitting | undefined {
    const names = Object.keys(fields);
    if (names.length === 0) return undefined;
    for (const each of rungs(names)) {
      const kept = keptBeside(message.MessageAttributes, each, stale, fields);
      if (each.length > MAX_ATTRIBUTES - (kept === undefined ? 0 : countOf(kept))) continue;
      const rung = carrierAttributes(each, fields);
      if (rung !== undefined && this.hasBytesFor(rung, message, kept)) return { rung, kept };
    }
    return undefined;
  }

  private hasBytesFor(attributes: MessageAttributes, message: Sized, kept: MessageAttributes | undefined): boolean {
    const { batch } = this;
    const usedAtMost = batch?.atMost ?? messageSize(message, kept, atMost);
    const [older] = SERVICE_LIMITS_BYTES;
    if (usedAtMost + attributesSize(attributes, atMost) <= Math.min(older, this.options.maxMessageBytes)) return true;
    const more = attributesSize(attributes, exactly);
    return (
      this.fits(messageSize(message, kept, exactly), more) && (batch === undefined || this.fits(batch.exact, more))
    );
  }

  /**
   * Whether so many bytes more cross none of the limits. What the queue's own limit is, only the service knows; the lower
   * of the two common ones is respected too, unless the message is beyond it already.
   */
  private fits(used: number, more: number): boolean {
    const [older, newer] = SERVICE_LIMITS_BYTES;
    const all = used + more;
    return all <= this.options.maxMessageBytes && all <= newer && (all <= older || used > older);
  }

  private headerIsFree({ MessageSystemAttributes: system }: OutgoingMessage, hasAttributes: boolean): boolean {
    const { awsTraceHeader } = this.options;
    if (awsTraceHeader === 'off' || (awsTraceHeader === 'fallback' && hasAttributes)) return false;
    return ((system as Record<string, unknown> | null | undefined)?.[TRACE_HEADER] ?? undefined) === undefined;
  }
}

interface WritableMessage extends OutgoingMessage {
  readonly MessageAttributes?: MessageAttributes;
  readonly MessageSystemAttributes?: MessageAttributes;
}

/** Fields as attributes, and the message's own that stay beside them. */
interface Fitting {
  readonly rung: MessageAttributes;
  readonly kept: MessageAttributes | undefined;
}

const NOTHING: readonly string[] = [];
const W3C = ['traceparent', 'tracestate'];

function kindOf(rung: MessageAttributes, fields: OutgoingContext['fields']): CarrierKind {
  const count = Object.keys(rung).length;
  if (count === Object.keys(fields).length) return 'complete';
  return count === 1 ? 'traceparent' : 'without_baggage';
}

function isWritable(message: OutgoingMessage): message is WritableMessage {
  return isMap(message.MessageAttributes) && isMap(message.MessageSystemAttributes);
}

function isMap(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'object' && !Array.isArray(value));
}

/** Whether everything that has the name of a field is an attribute. */
function areAttributes(attributes: MessageAttributes, fields: Fields): boolean {
  const names = namesOf([...W3C, ...Object.keys(fields)]);
  for (const name of Object.keys(attributes)) {
    if (names.has(name.toLowerCase()) && !isAttribute(attributes[name])) return false;
  }
  return true;
}

/**
 * The attributes that stay beside some of the fields: all but those of the same names, in any letter case, and those of an older
 * context. Baggage of the application's stays where ours is left out. The same object if all stay.
 */
function keptBeside(
  attributes: MessageAttributes | null | undefined,
  written: readonly string[],
  stale: readonly string[],
  fields: Fields,
): MessageAttributes | undefined {
  if (!attributes) return undefined;
  const names = namesOf([...stale, ...written]);
  if ('baggage' in fields && !written.includes('baggage')) names.delete('baggage');
  const isStale = (name: string) => names.has(name.toLowerCase());
  return Object.keys(attributes).some(isStale) ? likeIt(attributes, copyWithout(attributes, isStale)) : attributes;
}

function namesOf(fields: readonly string[]): Set<string> {
  return new Set(fields.map((name) => name.toLowerCase()));
}
