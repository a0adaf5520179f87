/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// npm run test:sdk [-- 2 | 3]: the packages as npm would publish them, installed into an application with SDK 2.x and 3.x.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const { startBrokers } = createRequire(import.meta.url)(join(root, 'test-utils'));
const PACKAGES = ['messaging-common', 'instrumentation-sqs', 'instrumentation-amqp', 'instrumentation-kafka'];
const LINES = {
  2: {
    api: '~1.9.0',
    instrumentation: '0.223.0',
    'context-async-hooks': '^2.12.0',
    core: '^2.12.0',
    'sdk-metrics': '^2.12.0',
    'sdk-trace-base': '^2.12.0',
  },
  3: {
    api: '^1.10.0',
    instrumentation: '^0.301.1',
    'context-async-hooks': '^3.1.1',
    core: '^3.1.1',
    'sdk-metrics': '^3.1.1',
    'sdk-trace': '^3.1.1',
  },
};
const EXPECTED = ['consume …', 'delete …', 'process …', 'process …', 'publish …', 'send …', 'send …'];

const wanted = process.argv.slice(2);
const brokers = await startBrokers(['sqs', 'kafka', 'rabbitmq'], { log: (line) => console.error(line) });
const folder = mkdtempSync(join(tmpdir(), 'otel-messaging-sdk-'));
try {
  const tarballs = pack();
  for (const line of wanted.length > 0 ? wanted : Object.keys(LINES)) {
    assert.ok(LINES[line], `no such SDK line: ${line}`);
    const app = install(line, tarballs);
    const result = JSON.parse(run(app, 'app.cjs', line));
    assert.deepEqual(result.last, { body: 'order', baggage: 'a' });
    assert.deepEqual(result.chain, EXPECTED);
    for (const client of ['sqs', 'kafka', 'amqp'])
      assert.ok(result.counted[`${client} messaging.client.sent.messages`], `no metrics of ${client}`);
    // Eight attributes and links; later only those that the SDK has to look into.
    assert.deepEqual(JSON.parse(run(app, 'span-contents.cjs', line)), [8, 3, 3]);
    console.log(`SDK ${line}.x on Node ${process.versions.node}: ${result.chain.length} spans in one trace`);
  }
} finally {
  await brokers.stop();
  rmSync(folder, { recursive: true, force: true });
}

function pack() {
  const tarballs = join(folder, 'tarballs');
  mkdirSync(tarballs);
  execFileSync(
    'npm',
    ['pack', '--silent', '--pack-destination', tarballs, ...PACKAGES.map((name) => `--workspace=packages/${name}`)],
    { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  return Object.fromEntries(
    PACKAGES.map((name) => [
      `@otel-messaging/${name}`,
      `file:${join(
        tarballs,
        readdirSync(tarballs).find((file) => file.startsWith(`otel-messaging-${name}-`)),
      )}`,
    ]),
  );
}

function install(line, tarballs) {
  const app = join(folder, `sdk-${line}`);
  mkdirSync(app);
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const clients = Object.fromEntries(
    ['@aws-sdk/client-sqs', 'amqplib', 'kafkajs'].map((name) => [name, devDependencies[name]]),
  );
  const sdk = Object.fromEntries(Object.entries(LINES[line]).map(([name, range]) => [`@opentelemetry/${name}`, range]));
  writeFileSync(
    join(app, 'package.json'),
    JSON.stringify({ private: true, dependencies: { ...sdk, ...clients, ...tarballs } }),
  );
  cpSync(join(root, 'test-utils', 'sdk-matrix'), app, { recursive: true });
  console.error(`installing an application with SDK ${line}.x ...`);
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund'], {
    cwd: app,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return app;
}

function run(app, script, line) {
  const env = {
    ...process.env,
    ...brokers.env,
    SDK_TRACE: line === '2' ? '@opentelemetry/sdk-trace-base' : '@opentelemetry/sdk-trace',
  };
  return execFileSync(process.execPath, [script], {
    cwd: app,
    env,
    encoding: 'utf8',
    timeout: 60_000,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
    .trim()
    .split('\n')
    .pop();
}
