/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type Attributes, type Link, ROOT_CONTEXT, type Span, SpanKind } from '@opentelemetry/api';
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  type Sampler,
  SamplingDecision,
  type SpanLimits,
} from '@opentelemetry/sdk-trace-base';
import { operationAttributes } from '../src/attributes';
import { usualAttributes, usualAwsAttributes } from '../src/semconv';
import { PlanContents, SpanContents } from '../src/span-contents';

const ATTRIBUTES = { 'messaging.system.name': 'memory', 'server.port': 5672, 'messaging.destination.temporary': true };
const PLAIN = new PlanContents(ATTRIBUTES);
const creation = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 };
const LINKS: Link[] = [
  { context: creation, attributes: { 'messaging.message.id': '4711', size: 2, isLast: false } },
  { context: creation },
  { context: creation, attributes: undefined },
  { context: creation, attributes: {} },
  { context: creation, attributes: { list: ['a', 'b'] } },
  { context: creation, attributes: { absent: undefined, id: 'c' } },
];
/** What two spans that are otherwise alike cannot share. */
const OWN = ['_spanContext', 'startTime', '_performanceStartTime', '_performanceOffset', '_recordEndMetrics'];

/** Two spans of one tracer, given the same by `SpanContents` and by their own methods. */
class Twins {
  private readonly tracer;
  readonly contents = new SpanContents();

  constructor(options: { spanLimits?: SpanLimits; sampler?: Sampler } = {}) {
    this.tracer = new BasicTracerProvider({ sampler: new AlwaysOnSampler(), ...options }).getTracer('test');
  }

  start(): Span {
    return this.tracer.startSpan('process orders', { kind: SpanKind.CONSUMER }, ROOT_CONTEXT);
  }

  /** Gives both the same; whether ours got its attributes without the SDK's looking at each. */
  give(ours: Span, contents = PLAIN, links: Link[] | undefined = undefined): { isQuick: boolean; theirs: Span } {
    const looks = jest.spyOn(Object.getPrototypeOf(ours), '_isSpanEnded');
    this.contents.give(ours, contents, links);
    const isQuick = looks.mock.calls.length < contents.count;
    looks.mockRestore();
    const theirs = this.start();
    theirs.setAttributes(contents.attributes);
    if (links !== undefined) theirs.addLinks(links);
    return { isQuick, theirs };
  }

  /** What a first span teaches. */
  learn(): this {
    expect(this.give(this.start()).isQuick).toBe(false);
    return this;
  }
}

const shape = (span: Span) => Object.entries(span).filter(([field]) => !OWN.includes(field));

/** In their order, too, which deep equality does not look at. */
function expectAlike(ours: Span, theirs: Span) {
  expect(shape(ours)).toStrictEqual(shape(theirs));
  expect(JSON.stringify(shape(ours))).toBe(JSON.stringify(shape(theirs)));
}

test('from the second span on the SDK does not look at each attribute', () => {
  const twins = new Twins();
  for (const expected of [false, true, true]) {
    const ours = twins.start();
    const { isQuick, theirs } = twins.give(ours);
    expect(isQuick).toBe(expected);
    expectAlike(ours, theirs);
  }
});

describe('of a usual plan', () => {
  const facts = { type: 'send', name: 'send', system: 'memory', server: { address: 'broker', port: 5672 } } as const;
  const destination = { name: 'orders', template: 'orders', partitionId: '0', temporary: true, anonymous: true };
  const all = operationAttributes({ ...facts, destination, consumerGroup: 'mailer' }, 'new');
  const usual = operationAttributes({ ...facts, destination: { name: 'orders' } }, 'new');

  const details = { 'rpc.system': 'aws-api', 'rpc.service': 'SQS', 'rpc.method': 'SendMessage', 'cloud.region': 'eu' };
  const amazons: Attributes = { ...usual, 'aws.sqs.queue.url': 'http://broker/orders', ...details };

  const { 'cloud.region': _, ...amazonsWithoutRegion } = amazons;

  test('attributes begin with the usual ones', () => {
    const names = Object.keys(usualAttributes({}));
    expect(Object.keys(usualAwsAttributes({}))).toEqual(Object.keys(amazons));
    expect(Object.keys(usual)).toEqual(names);
    expect(Object.keys(all).slice(0, names.length)).toEqual(names);
  });

  test.each<[string, Attributes]>([
    ['no more', usual],
    ['more', { ...all, size: 4, isLast: false }],
    ["one of Amazon's", amazons],
    ["one of Amazon's without all", { ...amazonsWithoutRegion, size: 4 }],
    ['not all', operationAttributes({ ...facts, destination: undefined }, 'new')],
    ['others first', { rule: 'orders', ...all }],
  ])('with %s, each span has its own, in their order', (_, attributes) => {
    const twins = new Twins().learn();
    const contents = new PlanContents(attributes);
    for (let i = 0; i < 2; i++) {
      const ours = twins.start();
      const { isQuick, theirs } = twins.give(ours, contents);
      expect(isQuick).toBe(true);
      expectAlike(ours, theirs);
      for (const span of [ours, theirs]) span.setAttributes({ 'server.port': 1, later: 'yes' });
      expectAlike(ours, theirs);
    }
    expect(contents.attributes).toEqual(attributes);
  });
});

test.each<[string, Link[]]>([
  ['none', []],
  ['of all kinds', LINKS],
  ['with more attributes than one may have', [{ context: creation, attributes: many(200) }]],
  ['more than a span may have', Array.from({ length: 200 }, (_, id) => ({ context: creation, attributes: { id } }))],
])('links are as the SDK makes them: %s', (_, links) => {
  const twins = new Twins().learn();
  const ours = twins.start();
  const { isQuick, theirs } = twins.give(ours, PLAIN, links);
  expectAlike(ours, theirs);
  // Those that are not plain are looked at, by the SDK.
  if (links.length === 0) expect(isQuick).toBe(true);
});

test("a link's attributes are the span's own, and so are lists among them", () => {
  const twins = new Twins().learn();
  const ours = twins.start();
  const one: Attributes = { id: '1' };
  const list = ['a'];
  twins.give(ours, PLAIN, [
    { context: creation, attributes: one },
    { context: creation, attributes: { list } },
  ]);
  one.id = '2';
  list.push('b');
  expect(ours).toMatchObject({ links: [{ attributes: { id: '1' } }, { attributes: { list: ['a'] } }] });
});

test('a span has attributes of its own, however many spans its plan has', () => {
  const twins = new Twins().learn();
  const [first, second] = [twins.start(), twins.start()];
  for (const span of [first, second]) expect(twins.give(span).isQuick).toBe(true);
  first.setAttribute('server.port', 1);
  expect(second).toMatchObject({ attributes: ATTRIBUTES });
  expect(PLAIN.attributes).toEqual({ ...ATTRIBUTES });
});

test('what comes later is counted, up to the limit', () => {
  const twins = new Twins().learn();
  const ours = twins.start();
  const { theirs } = twins.give(ours);
  for (const span of [ours, theirs]) span.setAttributes({ 'server.port': 1, ...many(200) });
  expectAlike(ours, theirs);
  expect(ours).toMatchObject({ droppedAttributesCount: 200 + PLAIN.count - 128 });
});

test.each<[string, SpanLimits]>([
  ['few attributes', { attributeCountLimit: 2 }],
  ['more attributes', { attributeCountLimit: 256 }],
  ['short values', { attributeValueLengthLimit: 3 }],
  ['few links', { linkCountLimit: 2 }],
  ['no links', { linkCountLimit: 0 }],
  ['few attributes of a link', { attributePerLinkCountLimit: 1 }],
])('limits of the application hold: %s', (_, spanLimits) => {
  const twins = new Twins({ spanLimits });
  for (let i = 0; i < 3; i++) {
    const ours = twins.start();
    const { isQuick, theirs } = twins.give(ours, PLAIN, LINKS);
    expect(isQuick).toBe(false);
    expectAlike(ours, theirs);
  }
});

test('a value that is more than one is copied by the SDK, and teaches nothing', () => {
  const twins = new Twins();
  for (const learn of [() => {}, () => twins.learn()]) {
    learn();
    const ours = twins.start();
    const list = ['a', 'b'];
    const { isQuick, theirs } = twins.give(ours, new PlanContents({ ...ATTRIBUTES, list }));
    expect(isQuick).toBe(false);
    expectAlike(ours, theirs);
    list.push('c');
    expect(ours).toMatchObject({ attributes: { list: ['a', 'b'] } });
  }
  expect(twins.give(twins.start()).isQuick).toBe(true);
});

test.each([0, 1])('attributes that a sampler gives from span %d on stay, and come first', (from) => {
  const attributes = { rule: 'orders', 'server.port': 1 };
  const decision = SamplingDecision.RECORD_AND_SAMPLED;
  let isOn = from === 0;
  const twins = new Twins({ sampler: { shouldSample: () => (isOn ? { decision, attributes } : { decision }) } });
  if (!isOn) twins.learn();
  isOn = true;
  for (let i = 0; i < 3; i++) {
    const ours = twins.start();
    const { isQuick, theirs } = twins.give(ours);
    expect(isQuick).toBe(false);
    expectAlike(ours, theirs);
    expect(ours).toMatchObject({ attributes: { rule: 'orders', ...ATTRIBUTES } });
  }
});

describe('a method that somebody has replaced is called', () => {
  const methods = ['setAttribute', 'setAttributes', 'addLink', 'addLinks'] as const;
  const links = [{ context: creation }];

  test.each(methods.flatMap((method) => ['before', 'after'].map((when) => [method, when] as const)))(
    '%s, %s the first span',
    (method, when) => {
      const twins = new Twins();
      if (when === 'after') twins.learn();
      const spans = [twins.start(), twins.start(), twins.start()];
      const prototype = Object.getPrototypeOf(spans[0]);
      const original = prototype[method];
      const calls: unknown[] = [];
      prototype[method] = function (this: Span, ...args: unknown[]) {
        calls.push(args);
        return original.apply(this, args);
      };
      try {
        for (const span of spans) twins.contents.give(span, PLAIN, links);
      } finally {
        prototype[method] = original;
      }
      expect(calls).toHaveLength(method === 'setAttribute' ? 3 * PLAIN.count : 3);
    },
  );

  test.each(methods)('%s, of one span', (method) => {
    const twins = new Twins().learn();
    const ours = twins.start();
    const replaced = jest.fn();
    Object.assign(ours, { [method]: replaced });
    twins.give(ours, PLAIN, links);
    expect(replaced).toHaveBeenCalled();
  });
});

test.each<[string, (span: Span) => void]>([
  ['another field', (span) => Object.assign(span, { _cache: {} })],
  [
    'another class',
    (span) => Object.setPrototypeOf(span, class Other extends (span.constructor as new () => object) {}.prototype),
  ],
  ['an attribute already', (span) => span.setAttribute('rule', 'orders')],
  ['a count of something else', (span) => Object.assign(span, { _attributesCount: 1 })],
  ['attributes that give something else', (span) => Object.assign(span, { attributes: new Scrubbing() })],
])('spans that have %s are left to their own methods', (_, change) => {
  const twins = new Twins();
  for (const span of [twins.start(), twins.start()]) {
    change(span);
    expect(twins.give(span).isQuick).toBe(false);
  }
  // It was the first that counts.
  expect(twins.give(twins.start()).isQuick).toBe(false);
});

/** Keeps a text of what it is given. */
class Scrubbing {
  set 'server.port'(value: number) {
    Object.defineProperty(this, 'server.port', { value: `${value}?`, enumerable: true });
  }
}

function many(count: number): Attributes {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`key-${i}`, i]));
}
