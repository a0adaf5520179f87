/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Tracer } from '@opentelemetry/api';

/** What is certain of a tracer's spans before they start, so that nothing is made that nobody will read. */
export interface Sampling {
  /** No span without a parent is recorded. */
  readonly dropsRoots: boolean;
  /** No span below an unsampled parent is recorded, local or remote. */
  readonly dropsUnsampled: boolean;
  /** Neither the sampler nor a processor looks at attributes and links of a span that starts. */
  readonly startsUnseen: boolean;
}

/** Of a sampler that has to be asked. */
export const UNKNOWN: Sampling = { dropsRoots: false, dropsUnsampled: false, startsUnseen: false };

/**
 * Known of the samplers and processors that SDKs 2.x and 3.x bring along and have by default; any other is shown all there is.
 * By the names of their classes: one that extends them may decide otherwise.
 */
export function samplingOf(tracer: Tracer | undefined): Sampling {
  const { _sampler: sampler, _spanProcessor: processor } = (tracer ?? {}) as TracerParts;
  const startsUnseen = looksAtNoStart(processor);
  const name = classOf(sampler);
  if (name === ALWAYS_OFF) return { dropsRoots: true, dropsUnsampled: true, startsUnseen };
  if (name === ALWAYS_ON || name === BY_TRACE_ID) return { dropsRoots: false, dropsUnsampled: false, startsUnseen };
  if (name !== 'ParentBasedSampler') return UNKNOWN;
  const parts = sampler as SamplerParts;
  const root = classOf(parts._root);
  return {
    dropsRoots: root === ALWAYS_OFF,
    dropsUnsampled:
      classOf(parts._remoteParentNotSampled) === ALWAYS_OFF && classOf(parts._localParentNotSampled) === ALWAYS_OFF,
    startsUnseen: startsUnseen && PARTS.every((part) => LOOK_AT_NOTHING.has(classOf(parts[part]))),
  };
}

const ALWAYS_OFF = 'AlwaysOffSampler';
const ALWAYS_ON = 'AlwaysOnSampler';
const BY_TRACE_ID = 'TraceIdRatioBasedSampler';
const LOOK_AT_NOTHING = new Set<string | undefined>([ALWAYS_OFF, ALWAYS_ON, BY_TRACE_ID]);

const PARTS = [
  '_root',
  '_remoteParentSampled',
  '_remoteParentNotSampled',
  '_localParentSampled',
  '_localParentNotSampled',
] as const;

type SamplerParts = { readonly [P in (typeof PARTS)[number]]?: object };

/** What a tracer of the SDK keeps of its provider. */
interface TracerParts {
  readonly _sampler?: object;
  readonly _spanProcessor?: Processor;
}

interface Processor {
  readonly onStart?: unknown;
  /** Of the one that hands spans on to several. */
  readonly _spanProcessors?: readonly Processor[];
}

function classOf(object: object | undefined): string | undefined {
  return object?.constructor?.name;
}

/** Whether the processor has an `onStart` that does nothing, as those have that export spans. */
function looksAtNoStart(processor: Processor | undefined): boolean {
  const parts = processor?._spanProcessors;
  if (classOf(processor) === 'MultiSpanProcessor' && Array.isArray(parts)) return parts.every(looksAtNoStart);
  const onStart = processor?.onStart;
  return typeof onStart === 'function' && DOES_NOTHING.test(Function.prototype.toString.call(onStart));
}

/** The text of a method without statements, nor parameters that have defaults. */
const DOES_NOTHING = /^\s*(?:function\s*)?[\w$]*\s*\([\w$\s,]*\)\s*(?:=>\s*)?\{\s*\}\s*$/;
