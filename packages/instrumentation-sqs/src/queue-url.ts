/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

/**
 * A queue's URL as it may be recorded: without user, password, query and fragment, which may be secrets. Undefined where
 * those cannot be told from the rest.
 */
export function recordedUrl(url: string | undefined): string | undefined {
  if (url === undefined || !/[@?#]/.test(url)) return url;
  if (!URL.canParse(url)) return undefined;
  const { protocol, host, pathname } = new URL(url);
  // No queue's path has an `@`: it is what a password with a slash leaves behind.
  return /^https?:$/.test(protocol) && !pathname.includes('@') ? `${protocol}//${host}${pathname}` : undefined;
}

/** The last path segment of a queue's URL, which is its name; clients take a name or an ARN in its place, too. */
export function queueName(url: string | undefined): string | undefined {
  const path = recordedUrl(url)?.replace(/^[a-z]+:\/\/[^/]*/i, '');
  return path?.split('/').findLast((segment) => segment !== '');
}
