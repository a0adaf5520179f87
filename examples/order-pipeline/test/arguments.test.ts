/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

const { readArguments } = require('../lib/arguments.js') as {
  readArguments: (argv: string[]) => Record<string, unknown>;
};

test.each([
  [[], { orders: 36, compareWith: undefined, verbose: false }],
  [['--without'], { compareWith: 'without' }],
  [['--upstream', '--orders', '12'], { compareWith: 'upstream', orders: 12 }],
  [['--html', 'x.html', '--verbose'], { html: 'x.html', verbose: true }],
])('%j', (argv, expected) => {
  expect(readArguments(argv)).toMatchObject(expected);
});

test.each([
  [['--orders', '0'], '--orders takes a number from 1 to 1000'],
  [['--orders', 'many'], '--orders takes a number from 1 to 1000'],
  [['--without', '--upstream'], '--without and --upstream exclude each other'],
  [['--fast'], expect.stringContaining("Unknown option '--fast'")],
])('%j is refused with a sentence', (argv, error) => {
  expect(readArguments(argv)).toEqual({ error });
});
