/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type Context, type Link, ROOT_CONTEXT, type Span, type SpanContext, trace } from '@opentelemetry/api';
import type { Incoming } from './carrier';
import type { ResolvedConfig } from './config';
import { ambientSpan } from './context';
import type { OperationPlan } from './plan';

/** Where the span of one message's processing belongs. */
export interface Relations {
  readonly parent: Span | undefined;
  readonly links: Link[] | undefined;
}

/**
 * Parent and links of a `process` span. The creation context is linked also where it is the parent.
 * @param ambient what is active where the application takes the message; the root where that is an accident
 * @see DESIGN.md, "Parents and links"
 */
export function relationsOf(
  { processParent }: Pick<ResolvedConfig, 'processParent'>,
  { isTrusted }: Pick<OperationPlan, 'isTrusted'>,
  { incoming, receiveSpan }: { readonly incoming: Incoming; readonly receiveSpan: SpanContext | undefined },
  ambient: Context,
): Relations {
  const { creation } = incoming;
  const around = ambient === ROOT_CONTEXT ? undefined : ambientSpan(ambient);
  const isFollowed = creation !== undefined && isTrusted && incoming.linkOnly !== true;
  let parent: Span | undefined;
  if (processParent === 'ambient') parent = around ?? (isFollowed ? trace.wrapSpanContext(creation) : undefined);
  else if (processParent === 'creation' && isFollowed) parent = trace.wrapSpanContext(creation);
  else if (processParent === 'creation' && isTrusted) parent = around;

  if (creation === undefined && receiveSpan === undefined && around === undefined) return { parent, links: undefined };
  const links: Link[] = [];
  if (creation !== undefined) links.push({ context: creation });
  if (receiveSpan !== undefined) links.push({ context: receiveSpan });
  if (around !== undefined && around !== parent) links.push({ context: around.spanContext() });
  return { parent, links };
}
