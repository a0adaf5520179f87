/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FIXTURES, run } from './child-process';

test('an application in a process of its own, in both APIs', () => {
  expect(run('scenario.cjs').stdout).toBe(readFileSync(join(FIXTURES, 'scenario.txt'), 'utf8'));
});

test('an application of ES modules, without a loader', () => {
  expect(run('module.mjs', [], ['--require', join(FIXTURES, 'preload.cjs')]).stdout).toBe(
    [
      'app INTERNAL',
      '└─ publish queue PRODUCER',
      '   └─ consume queue CONSUMER {messaging.message.settlement=ack}  → publish queue',
      '',
    ].join('\n'),
  );
});

test('a rejection that a consumer forgets ends the process as it does without us', () => {
  const ends = ['traced', 'plain'].map((how) => run('forgotten-rejection.cjs', [how], [], 1));
  for (const { stderr } of ends) expect(stderr).toMatch(/RangeError: forgotten\n\s+at /);
});

test('a rejection that the channel captures is an error of the channel, as without us', () => {
  for (const how of ['traced', 'plain']) {
    expect(run('captured-rejection.cjs', [how]).stdout).toBe('error of the channel: captured\nstill alive\n');
  }
});
