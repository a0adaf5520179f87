/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes, Histogram } from '@opentelemetry/api';

/**
 * Measurements of one histogram under one set of attributes. At each of them the SDK makes a text of all attributes, to find
 * where it adds up those of equal ones: 1 to 2 µs, half of what a message costs. Where it was seen to do just that, it is asked
 * for the place once, and again after each collection, when there is a new one.
 */
export class Measurements {
  /** Undefined where it is another SDK, or one that does more than to add up. */
  private places: Places | undefined;
  private place: Accumulation | undefined;
  /** The collection that `place` is for. */
  private collection = 0;
  private readonly recordNow: Histogram['record'];

  constructor(
    private readonly histogram: Histogram,
    private readonly attributes: Attributes,
  ) {
    this.recordNow = histogram.record;
    this.places = Places.of(histogram);
  }

  record(value: number): void {
    const { places, place, histogram } = this;
    const isPlace = place !== undefined && places !== undefined && places.collection === this.collection;
    if (isPlace && histogram.record === this.recordNow) place.record(value);
    else this.recordByHistogram(value);
  }

  private recordByHistogram(value: number): void {
    const { places, histogram, attributes } = this;
    this.places = undefined; // for good, unless it is seen to be right
    const before = places && countIn(places.at(attributes));
    histogram.record(value, attributes);
    if (places === undefined || before === undefined) return;
    const place = places.at(attributes);
    if (place === undefined || countIn(place) !== before + 1) return;
    this.collection = places.collection;
    this.place = place;
    this.places = places;
  }
}

/** Where a histogram of the SDK adds up measurements. One for all `Measurements` of it, which would each keep a past collection. */
class Places {
  private static readonly known = new WeakMap<Histogram, Places>();
  private seen: unknown;
  private count = 0;

  private constructor(private readonly delta: DeltaMetricProcessor) {}

  static of(histogram: Histogram): Places | undefined {
    const known = Places.known.get(histogram);
    if (known !== undefined) return known;
    const delta = deltaOf(histogram);
    if (delta === undefined) return undefined;
    const places = new Places(delta);
    Places.known.set(histogram, places);
    return places;
  }

  /** Number of the collection that measurements are added up for now. */
  get collection(): number {
    const { _activeCollectionStorage: active } = this.delta;
    if (active !== this.seen) {
      this.seen = active;
      this.count++;
    }
    return this.count;
  }

  at(attributes: Attributes): Accumulation | undefined {
    return this.delta._activeCollectionStorage.get(attributes);
  }
}

/** The parts of SDK 2.x and 3.x, by the names of their classes and all their fields: one with more may do more. */
function deltaOf(histogram: Histogram): DeltaMetricProcessor | undefined {
  const { _writableMetricStorage: storage } = histogram as HistogramInstrument;
  if (!isOf(histogram, 'HistogramInstrument', INSTRUMENT) || !isOf(storage, 'SyncMetricStorage', STORAGE))
    return undefined;
  const { _attributesProcessor: processor, _deltaMetricStorage: delta } = storage;
  // One of a view leaves attributes out, or adds some.
  if (processor !== undefined && !isOf(processor, 'NoopAttributesProcessor', [])) return undefined;
  return isOf(delta, 'DeltaMetricProcessor', DELTA) ? delta : undefined;
}

function isOf<T extends object>(part: T | undefined, name: string, fields: readonly string[]): part is T {
  return part?.constructor?.name === name && Object.keys(part).every((field) => fields.includes(field));
}

/** How many measurements a place has; undefined where it does not say. */
function countIn(place: Accumulation | undefined): number | undefined {
  const point = place === undefined ? NOTHING : place.toPointValue();
  const count = (point as { readonly count?: unknown } | undefined)?.count;
  return typeof count === 'number' ? count : undefined;
}

const NOTHING = { count: 0 };

const INSTRUMENT = ['_writableMetricStorage', '_descriptor'];
const STORAGE = [
  '_instrumentDescriptor',
  '_aggregationCardinalityLimit',
  '_deltaMetricStorage',
  '_temporalMetricStorage',
  '_attributesProcessor',
  'hasAttributeProcessor',
];
const DELTA = [
  '_activeCollectionStorage',
  '_cumulativeMemoStorage',
  '_cardinalityLimit',
  '_overflowAttributes',
  '_overflowHashCode',
  '_aggregator',
];

interface HistogramInstrument extends Histogram {
  readonly _writableMetricStorage?: SyncMetricStorage;
}

/** One for each view and, with several, each reader; those are behind a storage of another class. */
interface SyncMetricStorage {
  readonly _attributesProcessor?: object;
  readonly _deltaMetricStorage?: DeltaMetricProcessor;
}

interface DeltaMetricProcessor {
  /** Another one after each collection. */
  readonly _activeCollectionStorage: { get(attributes: Attributes): Accumulation | undefined };
}

interface Accumulation {
  record(value: number): void;
  toPointValue(): unknown;
}
