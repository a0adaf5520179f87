/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes, Link, Span } from '@opentelemetry/api';
import { usualAttributes, usualAwsAttributes } from './semconv';

/** What all spans of a plan have. */
export class PlanContents {
  readonly count: number;
  /** Whether each is one value, which nobody needs to copy or to look into. */
  readonly arePlain: boolean;
  /** What makes those that come first in one piece. */
  private readonly usual: Make | undefined;
  /** The others, where there are any. */
  private readonly rest: Attributes | undefined;

  constructor(readonly attributes: Attributes) {
    const entries = Object.entries(attributes);
    this.count = entries.length;
    this.arePlain = entries.every(([, value]) => isPlain(value));
    const usual = USUAL.find(({ keys }) => keys.every((key, i) => key === entries[i]?.[0]));
    const rest = entries.slice(usual?.keys.length ?? 0);
    this.usual = usual?.make;
    this.rest = rest.length === 0 ? undefined : Object.fromEntries(rest);
  }

  /** For one span, which may add to them. */
  copy(): Attributes {
    const copy = this.usual === undefined ? {} : this.usual(this.attributes);
    return this.rest === undefined ? copy : Object.assign(copy, this.rest);
  }
}

type Make = (of: Attributes) => Attributes;

/** Those with most attributes first. */
const USUAL = [usualAwsAttributes, usualAttributes].map((make: Make) => ({ make, keys: Object.keys(make({})) }));

/**
 * Gives spans that have just started their attributes and links. The SDK looks at each by itself: its name, its kind, its
 * length, how many there are before it. For those of a plan the answer is the same at each span: where the first was seen to
 * have got all as it was, the next ones get it at once, in a third of the time (half a microsecond less for each).
 */
export class SpanContents {
  /** Undefined where no span was looked at yet, or where they are others. */
  private layout: SpanLayout | undefined;
  private hasLooked = false;

  give(span: Span, contents: PlanContents, links: Link[] | undefined): void {
    if (contents.arePlain && this.layout?.isOf(span) === true) {
      this.layout.put(span, contents, links);
      return;
    }
    span.setAttributes(contents.attributes);
    if (links !== undefined && links.length > 0) span.addLinks(links);
    if (this.hasLooked || !contents.arePlain) return;
    this.hasLooked = true;
    this.layout = SpanLayout.of(span as SdkSpan, contents);
  }
}

/** Where spans of the SDK keep what they are given. */
class SpanLayout {
  private constructor(
    private readonly methods: Pick<Span, (typeof METHODS)[number]>,
    /** Whether a link with attributes says how many of them were dropped, also where none was. */
    private readonly countsDropped: boolean,
  ) {}

  /**
   * That of SDK 2.7 and later 2.x, and of 3.x, with their usual limits; known by the names of the class and of all fields, for one
   * with others may do other things. Undefined for any other, where somebody has replaced a method, and where something came
   * through changed.
   */
  static of(span: SdkSpan, contents: PlanContents): SpanLayout | undefined {
    const { _spanLimits: limits, setAttribute, setAttributes, addLink, addLinks } = span;
    const fields = Object.keys(span).sort().join();
    const isKnown =
      span.constructor?.name === 'SpanImpl' &&
      (fields === FIELDS_2 || fields === FIELDS_3) &&
      METHODS.every((name) => String(span[name]).includes(TEXTS[name])) &&
      Object.entries(LIMITS).every(([name, limit]) => limits?.[name as keyof SpanLimits] === limit);
    if (!isKnown || span._attributesCount !== contents.count) return undefined;
    const given = Object.entries(span.attributes);
    if (given.length !== contents.count || given.some(([key, value]) => value !== contents.attributes[key])) {
      return undefined;
    }
    return new SpanLayout({ setAttribute, setAttributes, addLink, addLinks }, fields === FIELDS_3);
  }

  /** Whether it is one of them, with the methods that it had then, and has nothing yet (a sampler's, say). */
  isOf(span: Span): span is SdkSpan {
    const { methods } = this;
    return (
      span.setAttribute === methods.setAttribute &&
      span.setAttributes === methods.setAttributes &&
      span.addLink === methods.addLink &&
      span.addLinks === methods.addLinks &&
      (span as SdkSpan)._attributesCount === 0
    );
  }

  put(span: SdkSpan, contents: PlanContents, links: Link[] | undefined): void {
    span.attributes = contents.copy(); // it has none, and nobody has seen them
    span._attributesCount = contents.count;
    if (links === undefined) return;
    for (const link of links) {
      const kept = span.links.length < LIMITS.linkCountLimit ? this.kept(link) : undefined;
      if (kept === undefined) span.addLink(link);
      else span.links.push(kept);
    }
  }

  /** A link as the SDK keeps it; undefined where that has to look into it. */
  private kept({ context, attributes }: Link): Link | undefined {
    if (attributes === undefined) return { context };
    let copy: Attributes | undefined;
    let count = 0;
    for (const key in attributes) {
      const value = attributes[key];
      if (!isPlain(value) || ++count > LIMITS.attributePerLinkCountLimit) return undefined;
      copy ??= {};
      copy[key] = value;
    }
    if (copy === undefined) return undefined;
    return this.countsDropped
      ? { context, attributes: copy, droppedAttributesCount: 0 }
      : { context, attributes: copy };
  }
}

function isPlain(value: unknown): value is string | number | boolean {
  const type = typeof value;
  return type === 'string' || type === 'number' || type === 'boolean';
}

/** What is set where nobody sets anything. */
const LIMITS = {
  attributeCountLimit: 128,
  attributeValueLengthLimit: Number.POSITIVE_INFINITY,
  linkCountLimit: 128,
  attributePerLinkCountLimit: 128,
} as const;

const METHODS = ['setAttribute', 'setAttributes', 'addLink', 'addLinks'] as const;

/** Of the SDK's own methods; a wrapper has another text. */
const TEXTS = {
  setAttribute: 'this._attributesCount',
  setAttributes: 'this.setAttribute(',
  addLink: 'this._spanLimits',
  addLinks: 'this.addLink(',
} as const;

/** All that a span of SDK 3.x has; one of 2.x also has the limit of lengths. */
const FIELDS = [
  '_spanContext',
  'kind',
  'parentSpanContext',
  'attributes',
  'links',
  'events',
  'startTime',
  'resource',
  'instrumentationScope',
  '_droppedAttributesCount',
  '_droppedEventsCount',
  '_droppedLinksCount',
  '_attributesCount',
  'name',
  'status',
  'endTime',
  '_ended',
  '_duration',
  '_spanProcessor',
  '_spanLimits',
  '_recordEndMetrics',
  '_performanceStartTime',
  '_performanceOffset',
  '_startTimeProvided',
];
const FIELDS_3 = FIELDS.sort().join();
const FIELDS_2 = [...FIELDS, '_attributeValueLengthLimit'].sort().join();

type SpanLimits = { readonly [L in keyof typeof LIMITS]?: number };

interface SdkSpan extends Span {
  attributes: Attributes;
  readonly links: Link[];
  readonly _spanLimits?: SpanLimits;
  _attributesCount: number;
}
