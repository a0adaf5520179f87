/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type DeclaredConventions, declaredSemconv } from '../src/declared-semconv';

type Mode = ReturnType<typeof declaredSemconv>;
type General = NonNullable<NonNullable<DeclaredConventions['instrumentation/development']>['general']>;
type Version = NonNullable<NonNullable<General['messaging']>['semconv']>;

function modeOf(general: General, option?: Mode): Mode {
  return declaredSemconv({ 'instrumentation/development': { general } }, option);
}

describe('messaging.semconv', () => {
  test.each<[string, Version, Mode]>([
    ['the conventions that we have', { version: 1, experimental: true }, 'new'],
    ['with the older ones', { version: 1, experimental: true, dual_emit: true }, 'dup'],
    ['without the older ones', { version: 1, experimental: true, dual_emit: false }, 'new'],
    ['the latest version', { experimental: true, dual_emit: true }, 'dup'],
    ['null as if omitted', { version: null, experimental: true, dual_emit: null }, 'new'],
    ['a later version', { version: 2, experimental: true, dual_emit: true }, 'dup'],
  ])('%s: whatever the application asks for', (_name, semconv, expected) => {
    for (const option of ['new', 'dup', undefined] as const) {
      expect(modeOf({ messaging: { semconv } }, option)).toBe(expected);
    }
  });

  test.each<[string, Version]>([
    ['stable conventions, which there are none of', { version: 1, dual_emit: true }],
    ['nothing', {}],
    ['an earlier version', { version: 0, experimental: true, dual_emit: true }],
  ])('%s: as the application asks, and not as the environment does', (_name, semconv) => {
    expect(modeOf({ messaging: { semconv } }, 'dup')).toBe('dup');
    expect(modeOf({ messaging: { semconv } }, 'new')).toBe('new');
    expect(modeOf({ messaging: { semconv } })).toBe('new');
  });

  test.each<[string, Version, Mode]>([
    ['old names', { version: 1, experimental: true, dual_emit: true }, 'dup'],
    ['no old names', { version: 1, experimental: true }, 'new'],
    ['what there is not', { version: 1 }, 'new'],
  ])('that asks for %s wins over the list', (_name, semconv, expected) => {
    const list = expected === 'dup' ? 'messaging' : 'messaging/dup';
    expect(modeOf({ messaging: { semconv }, stability_opt_in_list: list })).toBe(expected);
  });
});

describe('stability_opt_in_list', () => {
  test.each<[string, Mode]>([
    ['messaging/dup', 'dup'],
    ['http, Messaging/DUP ', 'dup'],
    ['messaging,messaging/dup', 'dup'],
    ['messaging', 'new'],
    ['http/dup,messaging', 'new'],
  ])('%j: whatever the application asks for', (stability_opt_in_list, expected) => {
    for (const option of ['new', 'dup', undefined] as const) {
      expect(modeOf({ stability_opt_in_list }, option)).toBe(expected);
    }
  });

  test.each(['', 'http/dup', 'messaging/dups'])(
    '%j: as the application asks, and not as the environment does',
    (list) => {
      expect(modeOf({ stability_opt_in_list: list }, 'dup')).toBe('dup');
      expect(modeOf({ stability_opt_in_list: list })).toBe('new');
    },
  );
});

test.each<[string, DeclaredConventions]>([
  ['without the section', {}],
  ['with an empty section', { 'instrumentation/development': null }],
  ['of other conventions', { 'instrumentation/development': { general: {} } }],
  ['without a version', { 'instrumentation/development': { general: { messaging: { semconv: null } } } }],
  ['without a list', { 'instrumentation/development': { general: { messaging: null, stability_opt_in_list: null } } }],
])('a configuration %s says nothing', (_name, declared) => {
  expect(declaredSemconv(declared, undefined)).toBeUndefined();
  expect(declaredSemconv(declared, 'dup')).toBe('dup');
});
