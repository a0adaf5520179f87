/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// npm run test:amqplib-own [-- version …]
// Runs the tests that amqplib brings along, of versions that do, without our instrumentation and with it, against a real
// broker; the results must be the same. Each version is installed into the cache folder. Starts a broker unless RABBITMQ_URL
// names one. No part of `npm test`: it asks the registry.

import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const { startBrokers } = require('@otel-messaging/test-utils');
const { cached } = require('@otel-messaging/test-utils/build/brokers/cache.js');
const preload = join(import.meta.dirname, 'fixtures/own-suite.cjs');

/** What runs the tests of a version, and how its report is read into `name → passed`. */
const MOCHA = { packages: ['mocha@9.2.2', 'claire@0.4.1'], run: runMocha };
const NODE = { packages: ['claire@0.4.1'], run: runNode };
const VERSIONS = { '0.8.0': MOCHA, '0.10.9': MOCHA, '1.0.0': NODE };
/** Some of the tests have two seconds, which a busy machine may not give them. */
const ATTEMPTS = 3;

const brokers = await startBrokers(['rabbitmq'], { log: (line) => console.error(line) });
const doors = [await forward('127.0.0.1'), await forward('::1')];
const scratch = mkdtempSync(join(tmpdir(), 'amqplib-own-'));
let failures = 0;
for (const version of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(VERSIONS)) {
  const suite = VERSIONS[version];
  if (suite === undefined) throw new Error(`amqplib ${version}: one of ${Object.keys(VERSIONS).join(', ')}`);
  const folder = await cached(`amqplib-own-${version}`, install(version, suite.packages));
  const home = join(folder, 'node_modules/amqplib');
  let problem;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    problem = await compare(version, suite.run, home);
    if (problem === undefined) break;
    console.error(`amqplib ${version}, attempt ${attempt} of ${ATTEMPTS}: ${problem}`);
  }
  if (problem !== undefined) failures++;
}
rmSync(scratch, { recursive: true });
for (const door of doors) door.close();
await brokers.stop();
process.exit(failures === 0 ? 0 : 1);

/** One run without and one with us; what differs. */
async function compare(version, run, home) {
  const counts = join(scratch, version);
  writeFileSync(counts, '');
  const without = await run(home, {});
  const withUs = await run(home, { NODE_OPTIONS: `--require ${preload}`, OWN_SUITE_SPANS: counts });
  const passed = (results) => [...results.values()].filter(Boolean).length;
  const spans = readFileSync(counts, 'utf8')
    .split('\n')
    .reduce((sum, line) => sum + Number(line), 0);
  console.log(
    `amqplib ${version}: ${passed(without)} of ${without.size} tests pass without us, ` +
      `${passed(withUs)} of ${withUs.size} with us, which made ${spans} spans`,
  );
  if (without.size === 0) return 'no tests were found';
  if (spans === 0) return 'the instrumentation made no span';
  const names = new Set([...without.keys(), ...withUs.keys()]);
  const different = [...names].filter((name) => without.get(name) !== withUs.get(name));
  return different.length === 0 ? undefined : `different: ${different.join('; ')}`;
}

async function runMocha(home, env) {
  const mocha = join(home, '../mocha/bin/mocha');
  const flags = ['--check-leaks', '-u', 'tdd', '--exit', '--reporter', 'json'];
  const { stdout, stderr } = await execute([mocha, ...flags, 'test/'], home, env);
  const start = stdout.indexOf('{\n  "stats"');
  if (start < 0) throw new Error(`mocha gave no report: ${stderr}${stdout}`);
  const { tests } = JSON.parse(stdout.slice(start));
  return new Map(tests.map(({ fullTitle, err }) => [fullTitle, Object.keys(err).length === 0]));
}

async function runNode(home, env) {
  const files = readdirSync(join(home, 'test')).filter((name) => name.endsWith('.test.js'));
  const paths = files.map((name) => join('test', name));
  // One file after the other: their queues have the same names.
  const { stdout } = await execute(['--test', '--test-concurrency=1', '--test-reporter=tap', ...paths], home, env);
  const results = new Map();
  const above = [];
  for (const line of stdout.split('\n')) {
    const [, indent, not, name] = /^( *)(not )?ok \d+ - (.*?)(?: # .*)?$/.exec(line) ?? [];
    const [, subIndent, subtest] = /^( *)# Subtest: (.*)$/.exec(line) ?? [];
    if (subtest !== undefined) above.splice(subIndent.length / 4, above.length, subtest);
    if (name !== undefined) results.set([...above.slice(0, indent.length / 4), name].join(' '), not === undefined);
  }
  return results;
}

function execute(args, cwd, env) {
  const options = {
    cwd,
    timeout: 300_000,
    maxBuffer: 2 ** 28,
    env: { ...process.env, NODE_OPTIONS: '', URL: brokers.env.RABBITMQ_URL, ...env },
  };
  // A failed test is a result like another.
  return new Promise((resolve) => {
    execFile(process.execPath, args, options, (_error, stdout, stderr) => resolve({ stdout, stderr }));
  });
}

/** Some of the tests know only the broker's usual port: there it is, too, if nobody else is. */
function forward(host) {
  const { hostname, port } = new URL(brokers.env.RABBITMQ_URL);
  const server = createServer((socket) => {
    const onward = connect(Number(port || 5672), hostname);
    socket.pipe(onward).pipe(socket);
    for (const each of [socket, onward])
      each.on('error', () => {}).on('close', () => [socket, onward].map((one) => one.destroy()));
  });
  return new Promise((resolve) => {
    server.once('error', ({ code }) => {
      console.error(`${host}:5672 is left as it is (${code})`);
      resolve(server);
    });
    server.listen(5672, host, () => resolve(server));
  });
}

function install(version, packages) {
  return async (staging) => {
    console.error(`installing amqplib ${version} ...`);
    mkdirSync(staging, { recursive: true });
    writeFileSync(join(staging, 'package.json'), '{"private":true}\n');
    execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', `amqplib@${version}`, ...packages], {
      cwd: staging,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  };
}
