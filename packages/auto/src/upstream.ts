/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Instrumentation } from '@opentelemetry/instrumentation';

import { withoutSqsEvents } from './aws-lambda';
import { withoutServices } from './aws-sdk';
import { MESSAGING_NAMES } from './known-names';
import { attempt } from './report';
import { environmentOf, isSelected, type Selection, shortName } from './selection';

const UPSTREAM = '@opentelemetry/auto-instrumentations-node';
const PREFIX = '@opentelemetry/instrumentation-';

/** Which of upstream's instrumentations each of ours replaces completely. */
const REPLACED: Readonly<Record<string, string>> = {
  '@otel-messaging/instrumentation-amqp': `${PREFIX}amqplib`,
  '@otel-messaging/instrumentation-kafka': `${PREFIX}kafkajs`,
};

/** The part of upstream's package that is used. */
export interface Upstream {
  getNodeAutoInstrumentations(config: Record<string, { enabled: boolean }>): Instrumentation[];
}

/**
 * `@opentelemetry/auto-instrumentations-node`, if the application has it and `selection` wants anything of it. One that
 * cannot be loaded is reported.
 *
 * To be called before any instrumentation is made: from the first one on, each module that is loaded is closed to those
 * that come later, and this package loads hundreds (`http` among them).
 */
export function loadUpstream(selection: Selection): Upstream | undefined {
  const path = upstreamPath();
  if (path === undefined || !wantsUpstream(selection)) return undefined;
  return attempt(`load ${UPSTREAM}`, () => require(path) as Upstream);
}

/** The instrumentations of `upstream` that are selected, without those that `ours` replace. */
export function upstreamInstrumentations(
  upstream: Upstream,
  selection: Selection,
  ours: readonly Instrumentation[],
): Instrumentation[] {
  const replaced = ours.flatMap((instrumentation) => REPLACED[instrumentation.instrumentationName] ?? []);
  const config = Object.fromEntries(replaced.map((name) => [name, { enabled: false }]));
  const made = attempt(`make the instrumentations of ${UPSTREAM}`, () =>
    withEnvironment(environmentOf(selection, isUpstreams), () => upstream.getNodeAutoInstrumentations(config)),
  );
  return (made ?? []).flatMap((each) => withoutServices(withoutSqsEvents(each, ours), ours) ?? []);
}

/** Short names of the instrumentations that the installed copy of upstream's package brings; empty without one. */
export function upstreamNames(): string[] {
  const path = upstreamPath();
  const root = path?.slice(0, path.lastIndexOf(join(UPSTREAM)) + join(UPSTREAM).length);
  if (root === undefined) return [];
  try {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    return Object.keys(manifest.dependencies ?? {})
      .filter((name) => name.startsWith(PREFIX))
      .map(shortName);
  } catch {
    return [];
  }
}

// The application's copy before one that happens to lie beside ours.
function upstreamPath(): string | undefined {
  const main = process.argv[1];
  const paths = [process.cwd(), ...(main ? [dirname(main)] : []), __dirname];
  try {
    return require.resolve(UPSTREAM, { paths });
  } catch {
    return undefined;
  }
}

// `http` alone is ours too, and loading forty packages for it would cost a third of a second.
function wantsUpstream(selection: Selection): boolean {
  const { enabled } = selection;
  return !enabled || [...enabled].some((name) => name !== 'http' && isUpstreams(name) && isSelected(selection, name));
}

// Upstream's package reports our names as mistakes, and takes a list without names for "all".
function isUpstreams(name: string): boolean {
  return !(MESSAGING_NAMES as readonly string[]).includes(name);
}

function withEnvironment<T>(values: Record<string, string>, code: () => T): T {
  const before = Object.keys(values).map((key) => [key, process.env[key]] as const);
  try {
    Object.assign(process.env, values);
    return code();
  } finally {
    for (const [key, value] of before) {
      if (value === undefined) delete process.env[key];
      else process.env[key] = value;
    }
  }
}
