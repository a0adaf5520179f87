/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Tracer } from '@opentelemetry/api';

/** What a tracer's sampler will say whatever it is shown, so that nobody need make attributes and links of such a span. */
export interface Sampling {
  /** No span without a parent is recorded. */
  readonly dropsRoots: boolean;
  /** No span below an unsampled parent is recorded, local or remote. */
  readonly dropsUnsampled: boolean;
}

/** Of a sampler that has to be asked. */
export const UNKNOWN: Sampling = { dropsRoots: false, dropsUnsampled: false };
const NEVER: Sampling = { dropsRoots: true, dropsUnsampled: true };

/**
 * Known of the samplers that SDKs 2.x and 3.x bring along and have by default (`parentbased_always_on`); any other is asked
 * with all there is. By the description that a sampler gives of itself: its parts are told nowhere else.
 */
export function samplingOf(tracer: Tracer | undefined): Sampling {
  const sampler = (tracer as { readonly _sampler?: object } | undefined)?._sampler;
  const name = sampler?.constructor?.name;
  if (name === 'AlwaysOffSampler') return NEVER;
  // By its class too: one that extends it may decide otherwise and inherit the description.
  const [, root] = name === 'ParentBasedSampler' ? (PARENT_BASED.exec(String(sampler)) ?? []) : [];
  return root === undefined ? UNKNOWN : { dropsRoots: root === 'AlwaysOffSampler', dropsUnsampled: true };
}

const PARENT_BASED =
  /^ParentBased\{root=(.+), remoteParentSampled=\w+, remoteParentNotSampled=AlwaysOffSampler, localParentSampled=\w+, localParentNotSampled=AlwaysOffSampler\}$/;
