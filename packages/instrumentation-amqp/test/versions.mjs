/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// node packages/instrumentation-amqp/test/versions.mjs [version …]
// Runs one scenario with each supported line of amqplib, installed into the cache folder, and compares the traces. Needs
// a build (npx tsc -b); starts a broker unless RABBITMQ_URL names one. No part of `npm test`: it asks the registry.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const VERSIONS = ['0.10.0', '0.10.9', '1.0.3', '1.2.0', '2.0.1', '2.3.1'];

const require = createRequire(import.meta.url);
const { startBrokers } = require('@otel-messaging/test-utils');
const { cached } = require('@otel-messaging/test-utils/build/brokers/cache.js');
const fixtures = join(import.meta.dirname, 'fixtures');
const expected = readFileSync(join(fixtures, 'scenario.txt'), 'utf8');

const brokers = await startBrokers(['rabbitmq'], { log: (line) => console.error(line) });
let failures = 0;
for (const version of process.argv.length > 2 ? process.argv.slice(2) : VERSIONS) {
  const folder = await cached(`amqplib-${version}`, install(version));
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(fixtures, 'scenario.cjs'), folder], {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, ...brokers.env },
  });
  const isGood = status === 0 && stdout === expected;
  if (!isGood) failures++;
  console.log(`amqplib ${version}: ${isGood ? 'as expected' : `FAILED\n${stderr}${stdout}`}`);
}
await brokers.stop();
process.exit(failures === 0 ? 0 : 1);

function install(version) {
  return async (staging) => {
    console.error(`installing amqplib ${version} ...`);
    mkdirSync(staging, { recursive: true });
    if (!existsSync(join(staging, 'package.json'))) writeFileSync(join(staging, 'package.json'), '{"private":true}\n');
    execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', `amqplib@${version}`], {
      cwd: staging,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  };
}
