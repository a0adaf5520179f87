/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Link, Span, SpanContext } from '@opentelemetry/api';
import type { Incoming } from './carrier';
import type { ResolvedConfig } from './config';
import { trace } from './otel';
import type { OperationPlan } from './plan';

/**
 * Parent of a `process` span.
 * @param around what is active where the application takes the message
 * @see DESIGN.md, "Parents and links"
 */
export function parentOf(
  { processParent }: Pick<ResolvedConfig, 'processParent'>,
  { isTrusted }: Pick<OperationPlan, 'isTrusted'>,
  { creation, linkOnly }: Incoming,
  around: Span | undefined,
): Span | undefined {
  const isFollowed = creation !== undefined && isTrusted && linkOnly !== true;
  if (processParent === 'ambient') return around ?? (isFollowed ? trace.wrapSpanContext(creation) : undefined);
  if (processParent !== 'creation') return undefined;
  if (isFollowed) return trace.wrapSpanContext(creation);
  return isTrusted ? around : undefined;
}

/** Links of a `process` span. The creation context is linked also where it is the parent. */
export function linksOf(
  { creation }: Incoming,
  receiveSpan: SpanContext | undefined,
  around: Span | undefined,
  parent: Span | undefined,
): Link[] | undefined {
  if (creation === undefined && receiveSpan === undefined && around === undefined) return undefined;
  const links: Link[] = [];
  if (creation !== undefined) links.push({ context: creation });
  if (receiveSpan !== undefined) links.push({ context: receiveSpan });
  if (around !== undefined && around !== parent) links.push({ context: around.spanContext() });
  return links;
}
