/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// npm run test:elasticmq: the tests of instrumentation-sqs against a second server, written by others.
// What it does in another way than Amazon is left out here, by name and with the reason, which is printed.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const require = createRequire(import.meta.url);
const { launchElasticMq } = require(join(root, 'test-utils/build/brokers/elasticmq.js'));

const FILES = [
  'conformance',
  'send',
  'receive',
  'process',
  'sqs-consumer',
  'sqs-consumer-conformance',
  'lambda',
  'lambda-conformance',
];

/** Tests by the end of their full name. */
const LEFT_OUT = {
  "3. malformed input meets the client's own error": 'it takes a batch without entries, which Amazon refuses',
  'a process span tells its message, its attempt and its time in the queue': 'its answers have no request id',
  'one message carries its send span, in attributes and in the X-Ray header': 'its answers have no request id',
  'where ["Trace.*"] is asked for: b7ad6b7169203331': 'it knows no prefixes of names',
};

const broker = await launchElasticMq((line) => console.error(line));
console.log(broker.how);
for (const [name, reason] of Object.entries(LEFT_OUT)) console.log(`left out: ${name}: ${reason}`);
try {
  const escaped = Object.keys(LEFT_OUT).map((name) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const pattern = escaped.length > 0 ? ['--testNamePattern', `^(?!.*(?:${escaped.join('|')})$)`] : [];
  const files = FILES.map((name) => `packages/instrumentation-sqs/test/${name}.test.ts`);
  const { status } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/jest/bin/jest.js'), '--maxWorkers=1', ...pattern, ...process.argv.slice(2), ...files],
    { cwd: root, stdio: 'inherit', env: { ...process.env, ...broker.env, OTEL_MESSAGING_TEST_BROKERS: 'none' } },
  );
  process.exitCode = status ?? 1;
} finally {
  await broker.stop();
}
