/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FIXTURES, run } from './child-process';

const preload = ['--require', join(FIXTURES, 'preload.cjs')];
/** Makes `import` of the wrapper visible; amqplib itself does not need it. */
const esmHook = ['--require', join(FIXTURES, 'esm-hook.cjs')];

describe('amqp-connection-manager', () => {
  test('in an application in a process of its own', () => {
    expect(run('connection-manager.cjs').stdout).toBe(readFileSync(join(FIXTURES, 'connection-manager.txt'), 'utf8'));
  });

  test('in an application of ES modules', () => {
    expect(run('connection-manager.mjs', [], [...esmHook, ...preload]).stdout).toBe(
      [
        'app INTERNAL',
        '└─ publish queue PRODUCER',
        '   └─ consume queue CONSUMER {messaging.message.settlement=ack}  → publish queue',
        '      └─ work INTERNAL',
        '',
      ].join('\n'),
    );
  });
});

// More publishes at once than channels, a message that is given back, and one that is published again.
test('rascal: each publish is in the trace of its caller, each attempt in that of its message', () => {
  expect(run('rascal.cjs', [], preload).stdout).toBe(readFileSync(join(FIXTURES, 'rascal.txt'), 'utf8'));
});
