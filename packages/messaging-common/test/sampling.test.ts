/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  type Attributes,
  context,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  type Link,
  ROOT_CONTEXT,
  trace,
} from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  InMemorySpanExporter,
  NoopSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  SimpleSpanProcessor,
  type Span,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { samplingOf, UNKNOWN } from '../src/sampling';
import { unsampledChild } from '../src/unsampled-span';
import { type Message, Rig, reader, writer } from './support';

const UNSAMPLED = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`;
const SAMPLED = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const root = new AlwaysOnSampler();

/** Decides on what it is shown, as one that keeps spans of some queues does. */
class OfQueue extends ParentBasedSampler {
  override shouldSample(...args: Parameters<Sampler['shouldSample']>) {
    const isWanted = args[4]['messaging.destination.name'] === 'orders';
    return { decision: isWanted ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD };
  }
}

describe('what is certain of a sampler', () => {
  test.each<[string, Sampler | undefined, boolean, boolean]>([
    ['the default', undefined, false, true],
    ['parent-based, always off', new ParentBasedSampler({ root: new AlwaysOffSampler() }), true, true],
    ['parent-based, a ratio', new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.1) }), false, true],
    ['always off', new AlwaysOffSampler(), true, true],
    ['always on', root, false, false],
    ['a ratio', new TraceIdRatioBasedSampler(0), false, false],
    [
      'unsampled remote parents are followed',
      new ParentBasedSampler({ root, remoteParentNotSampled: root }),
      false,
      false,
    ],
    [
      'unsampled local parents are followed',
      new ParentBasedSampler({ root, localParentNotSampled: root }),
      false,
      false,
    ],
    ['a subclass', new OfQueue({ root }), false, false],
    ['one of the application, with the name of another', named('AlwaysOffSampler'), false, false],
  ])('%s', (_, sampler, dropsRoots, dropsUnsampled) => {
    const tracer = new BasicTracerProvider(sampler && { sampler }).getTracer('test');
    expect(samplingOf(tracer)).toMatchObject({ dropsRoots, dropsUnsampled });
  });

  test('nothing of a tracer of another make', () => {
    expect(samplingOf(trace.getTracer('none'))).toEqual(UNKNOWN);
    expect(samplingOf(undefined)).toEqual(UNKNOWN);
  });
});

/** Of the application: looks at what starts. */
class Watching extends NoopSpanProcessor {
  readonly seen: Attributes[] = [];
  override onStart(span: Span) {
    this.seen.push({ ...span.attributes, links: span.links.length });
  }
}

describe('what a span starts with', () => {
  const exporting = new SimpleSpanProcessor(new InMemorySpanExporter());
  const byTraceId = new TraceIdRatioBasedSampler(0.5);
  const arrow = Object.assign(new NoopSpanProcessor(), { onStart: () => {} });
  const bound = Object.assign(new NoopSpanProcessor(), { onStart: new Watching().onStart.bind(new Watching()) });
  const withDefault = Object.assign(new NoopSpanProcessor(), { onStart: (_: Span, _seen = new Watching()) => {} });

  test.each<[string, boolean, Sampler | undefined, SpanProcessor[]]>([
    ['the default', true, undefined, [exporting]],
    ['batches', true, undefined, [exporting, new BatchSpanProcessor(new InMemorySpanExporter())]],
    ['always on', true, root, [exporting]],
    ['always off', true, new AlwaysOffSampler(), [exporting]],
    ['a ratio', true, byTraceId, [exporting]],
    ['parent-based, a ratio', true, new ParentBasedSampler({ root: byTraceId }), [exporting]],
    ['nobody to export to', true, undefined, []],
    ['an arrow function without statements', true, undefined, [arrow]],
    ['a processor that looks', false, undefined, [exporting, new Watching()]],
    ['a bound function', false, undefined, [bound]],
    ['a parameter that has a default', false, undefined, [withDefault]],
    ['a sampler of the application', false, new OfQueue({ root }), [exporting]],
    ['the like, for roots', false, new ParentBasedSampler({ root: new OfQueue({ root }) }), [exporting]],
    [
      'the like, below sampled parents',
      false,
      new ParentBasedSampler({ root, remoteParentSampled: new OfQueue({ root }) }),
      [exporting],
    ],
  ])('%s: unseen is %s', (_, startsUnseen, sampler, spanProcessors) => {
    const tracer = new BasicTracerProvider({ spanProcessors, ...(sampler && { sampler }) }).getTracer('test');
    expect(samplingOf(tracer).startsUnseen).toBe(startsUnseen);
  });

  test.each([
    ['a processor that looks', new Watching()],
    ['one that does not', undefined],
  ])('%s: a span ends with the same', (_, watching) => {
    const rig = new Rig({}, { processors: watching && [watching] });
    const plan = rig.plan('process', { attributes: { 'messaging.client.id': 'shop' } });
    rig.telemetry.startProcess(plan, messageWith(SAMPLED, 'one'), reader)?.end();
    const started = {
      'messaging.system.name': 'memory',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'orders',
    };
    if (watching !== undefined) expect(watching.seen).toEqual([{ ...started, links: 1 }]);
    const { attributes, links } = rig.span('process orders');
    expect(attributes).toEqual({ ...started, 'messaging.client.id': 'shop', 'messaging.message.id': 'one' });
    expect(links).toMatchObject([{ context: { spanId: 'b'.repeat(16) } }]);
    rig.tracing.stop();
  });
});

describe('below an unsampled parent', () => {
  let rig: Rig;
  afterEach(() => rig.tracing.stop());

  test('the trace goes on with ids of its own, and stays unsampled', async () => {
    rig = new Rig({}, { sampler: new ParentBasedSampler({ root }) });
    const handled = rig.telemetry.startProcess(rig.plan('process'), messageWith(UNSAMPLED), reader);
    const sent = handled?.handle(SETTLED, () => rig.sent(), undefined);
    handled?.end();
    const { traceId, spanId, traceFlags } = handled?.span?.spanContext() ?? INVALID_SPAN_CONTEXT;
    expect([traceId, traceFlags]).toEqual(['a'.repeat(32), 0]);
    expect(spanId).not.toBe('b'.repeat(16));
    expect(sent?.headers?.['traceparent']).toMatch(new RegExp(`^00-a{32}-(?!${spanId})[0-9a-f]{16}-00$`));
    expect(rig.tracing.spans()).toEqual([]);
  });

  test('the tracestate goes along', () => {
    rig = new Rig({}, { sampler: new ParentBasedSampler({ root }) });
    const message = { headers: { traceparent: UNSAMPLED, tracestate: 'vendor=1' } };
    const span = rig.telemetry.startProcess(rig.plan('process'), message, reader)?.span;
    expect(span?.spanContext().traceState?.serialize()).toBe('vendor=1');
  });

  test('ids are random', () => {
    const parent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 };
    const contexts = Array.from({ length: 10_000 }, () => unsampledChild(parent).spanContext());
    expect(contexts.every(isSpanContextValid)).toBe(true);
    expect(new Set(contexts.map(({ spanId }) => spanId)).size).toBe(10_000);
    for (let at = 0; at < 16; at++) expect(new Set(contexts.map(({ spanId }) => spanId[at])).size).toBe(16);
    expect(contexts[0]).toMatchObject({ traceId: parent.traceId, traceFlags: 0 });
  });

  test('a sampler of the application sees attributes and links all the same', async () => {
    rig = new Rig({}, { sampler: new OfQueue({ root }) });
    rig.telemetry.startProcess(rig.plan('process'), messageWith(UNSAMPLED), reader)?.end();
    expect(seenOf(rig, 'process orders')).toMatchObject([['orders', 1]]);
  });

  test('an invalid parent is none: the span is a root, with all that it has', async () => {
    rig = new Rig({}, { sampler: new ParentBasedSampler({ root }) });
    const invalid = { traceId: 'a'.repeat(32), spanId: '0'.repeat(16), traceFlags: 0 };
    rig.sent({}, trace.setSpanContext(ROOT_CONTEXT, invalid));
    expect(seenOf(rig, 'send orders')).toMatchObject([['orders', 0]]);
  });

  test('an unsampled poll gives sampled messages spans that know all', async () => {
    rig = new Rig({}, { sampler: new ParentBasedSampler({ root: new AlwaysOffSampler() }) });
    const messages = rig.received([messageWith(SAMPLED, 'one'), messageWith(UNSAMPLED, 'two')]);
    for (const _ of messages) await Promise.resolve();
    expect(rig.spans('receive orders')).toEqual([]);
    const { attributes, links } = rig.span('process orders');
    expect(attributes['messaging.message.id']).toBe('one');
    // To its creation context alone: a link to the poll would lead to a span that nobody has.
    expect(links).toMatchObject([{ context: { spanId: 'b'.repeat(16) } }]);
  });

  test('so does an unsampled batch', async () => {
    rig = new Rig({}, { sampler: new ParentBasedSampler({ root: new AlwaysOffSampler() }) });
    const messages = [messageWith(SAMPLED, 'one'), messageWith(UNSAMPLED, 'two')];
    const plan = rig.plan('process', { isBatch: true });
    const batch = rig.telemetry.startBatchProcess(plan, messages, reader, rig.plan('process'));
    await batch?.handle(async () => {
      for (const _ of messages) await Promise.resolve();
    }, undefined);
    expect(rig.span('process orders').attributes['messaging.message.id']).toBe('one');
  });

  test('a batch that is sent has a context for each message', async () => {
    rig = new Rig({}, { sampler: new ParentBasedSampler({ root }) });
    const ambient = trace.setSpanContext(ROOT_CONTEXT, {
      traceId: 'a'.repeat(32),
      spanId: 'c'.repeat(16),
      traceFlags: 0,
    });
    const send = () =>
      rig.telemetry.startBatchSend(rig.plan('send', { isBatch: true }), [{}, {}] as Message[], writer, () =>
        rig.plan('create'),
      );
    const operation = context.with(ambient, send);
    operation?.end();
    const contexts = operation?.messages.map(({ headers }) => headers?.['traceparent']);
    expect(new Set(contexts).size).toBe(2);
    for (const one of contexts ?? []) expect(one).toMatch(/^00-a{32}-[0-9a-f]{16}-00$/);
  });
});

const SETTLED = { endsAtSettlement: false, dropsPromise: false };

function named(name: string): Sampler {
  return { shouldSample: () => ({ decision: SamplingDecision.RECORD_AND_SAMPLED }), toString: () => name };
}

function messageWith(traceparent: string, id?: string): Message {
  return { headers: { traceparent }, facts: { id } };
}

function seenOf(rig: Rig, name: string): [Attributes[string], number][] {
  return rig
    .spans(name)
    .map(({ attributes, links }: { attributes: Attributes; links: Link[] }) => [
      attributes['messaging.destination.name'],
      links.length,
    ]);
}
