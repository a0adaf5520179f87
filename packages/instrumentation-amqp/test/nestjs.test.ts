/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FIXTURES, run } from './child-process';

const preload = ['--require', join(FIXTURES, 'preload.cjs')];
const expected = readFileSync(join(FIXTURES, 'nestjs.txt'), 'utf8');

// Promises, streams, two handlers of one event, replies and errors: all inside of a consume span, or a line would say what is not.
test('handlers of NestJS are covered, replies included, without acknowledgements', () => {
  expect(run('nestjs.cjs', [FIXTURES, 'no-ack'], preload).stdout).toBe(expected);
});

test('and with acknowledgements', () => {
  const { stdout } = run('nestjs.cjs', [FIXTURES, 'ack'], preload);
  expect(stdout.match(/\{messaging\.message\.settlement=ack\}/g)).toHaveLength(7);
  expect(stdout.replaceAll(' {messaging.message.settlement=ack}', '')).toBe(expected);
});
