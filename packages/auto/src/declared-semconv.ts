/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

/** The part of a declarative configuration that says which semantic conventions messages are recorded by. */
export interface DeclaredConventions {
  readonly 'instrumentation/development'?: {
    readonly general?: {
      readonly messaging?: { readonly semconv?: SemconvVersion | null } | null;
      readonly stability_opt_in_list?: string | null;
    } | null;
  } | null;
}

interface SemconvVersion {
  readonly version?: number | null;
  readonly experimental?: boolean | null;
  readonly dual_emit?: boolean | null;
}

type Mode = 'new' | 'dup';

/**
 * The option `semconv` by a declarative configuration and by what the application asks for; undefined where the
 * environment is to decide. `messaging.semconv` comes first, then the list, then `option`. A configuration that has one of
 * the two and asks there for nothing that we have leaves the decision to `option` and keeps the environment out of it.
 * @see https://github.com/open-telemetry/semantic-conventions/blob/v1.45.0/docs/configuration/version-selection.md
 */
export function declaredSemconv(declared: DeclaredConventions, option: Mode | undefined): Mode | undefined {
  const general = declared['instrumentation/development']?.general;
  const version = general?.messaging?.semconv;
  const list = general?.stability_opt_in_list;
  if (version) return modeOf(version) ?? ownMode(option);
  if (typeof list === 'string') return listedMode(list) ?? ownMode(option);
  return option;
}

// Nothing of messaging is stable yet. Of later versions the nearest earlier one is meant, which is the one that we have.
function modeOf({ version, experimental, dual_emit }: SemconvVersion): Mode | undefined {
  if (experimental !== true || (version ?? 1) < 1) return undefined;
  return dual_emit === true ? 'dup' : 'new';
}

function listedMode(list: string): Mode | undefined {
  const items = list.split(',').map((item) => item.trim().toLowerCase());
  if (items.includes('messaging/dup')) return 'dup';
  return items.includes('messaging') ? 'new' : undefined;
}

function ownMode(option: Mode | undefined): Mode {
  return option === 'dup' ? 'dup' : 'new';
}
