/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

const ENABLED = 'OTEL_NODE_ENABLED_INSTRUMENTATIONS';
const DISABLED = 'OTEL_NODE_DISABLED_INSTRUMENTATIONS';
const PACKAGE_PREFIX = /^@(?:opentelemetry|otel-messaging)\/instrumentation-/;

/** Which instrumentations the environment asks for, by short name (`sqs`, `http`). */
export interface Selection {
  /** Only these; undefined when the variable is unset or names nothing. */
  readonly enabled?: ReadonlySet<string>;
  readonly disabled: ReadonlySet<string>;
}

/** The selection that `OTEL_NODE_ENABLED_INSTRUMENTATIONS` and `OTEL_NODE_DISABLED_INSTRUMENTATIONS` make. */
export function selectionFrom(env: NodeJS.ProcessEnv): Selection {
  const enabled = namesIn(env[ENABLED]);
  return { enabled: enabled.size > 0 ? enabled : undefined, disabled: namesIn(env[DISABLED]) };
}

/** Whether `name` is selected: in the enabled list if there is one, and not in the disabled list. */
export function isSelected(selection: Selection, name: string): boolean {
  return (selection.enabled === undefined || selection.enabled.has(name)) && !selection.disabled.has(name);
}

/** The variables as upstream's package reads them, holding only the names that `keep` accepts. */
export function environmentOf(selection: Selection, keep: (name: string) => boolean): Record<string, string> {
  return {
    [ENABLED]: [...(selection.enabled ?? [])].filter(keep).join(','),
    [DISABLED]: [...selection.disabled].filter(keep).join(','),
  };
}

/** `@otel-messaging/instrumentation-sqs`, ` SQS ` and `sqs` are all `sqs`. */
export function shortName(name: string): string {
  return name.trim().toLowerCase().replace(PACKAGE_PREFIX, '');
}

function namesIn(list: string | undefined): ReadonlySet<string> {
  return new Set((list ?? '').split(',').map(shortName).filter(Boolean));
}
