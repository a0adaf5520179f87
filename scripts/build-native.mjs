/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// npm run build:native [-- confluent | node-rdkafka]: the native bindings of Kafka clients, which `npm ci` leaves unbuilt.
// Built once for each major of Node, in the cache folder; then copied to where the client looks for its binding.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join, resolve } from 'node:path';
import { headersOfNode } from './node-headers.mjs';

const root = resolve(import.meta.dirname, '..');
const require = createRequire(import.meta.url);
const { cached } = require(join(root, 'test-utils', 'build', 'brokers', 'cache'));
const modules = join(root, 'node_modules');
const target = `node-v${process.versions.modules}-${process.platform}-${process.arch}`;

const CLIENTS = {
  confluent: {
    name: '@confluentinc/kafka-javascript',
    binding: 'confluent-kafka-javascript.node',
    command: [join(modules, '@mapbox', 'node-pre-gyp', 'bin', 'node-pre-gyp'), 'install', '--build-from-source'],
    // Otherwise it downloads the sources of zlib, OpenSSL and others, and builds them too.
    env: { CKJS_LINKING: 'dynamic' },
  },
  'node-rdkafka': {
    name: 'node-rdkafka',
    binding: 'node-librdkafka.node',
    command: [join(modules, 'node-gyp', 'bin', 'node-gyp.js'), 'rebuild'],
    env: {},
  },
};
const DEBIAN_PACKAGES = 'g++ make python3 zlib1g-dev libssl-dev libsasl2-dev libzstd-dev';

const wanted = process.argv.slice(2);
try {
  for (const key of wanted.length > 0 ? wanted : ['confluent']) await provide(key);
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}

async function provide(key) {
  const client = CLIENTS[key];
  if (client === undefined) throw new Error(`no such client: ${key}; there are ${Object.keys(CLIENTS).join(' and ')}`);
  const installed = join(modules, ...client.name.split('/'));
  if (!existsSync(installed)) throw new Error(`${client.name} is not installed: npm ci --include=optional`);
  const { version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  const folder = `native-${client.binding.replace('.node', '')}-${version}-${target}`;
  const built = await cached(folder, async (staging) => build(client, installed, staging));
  putInPlace(built, installed);
  say(`${client.name} ${version} on Node ${process.versions.node}: ${report(client)}`);
}

/** Builds in a copy, so that a build that fails leaves nothing half-made behind; keeps what is needed at run time. */
function build(client, installed, staging) {
  const startedMs = Date.now();
  const source = join(staging, 'source');
  say(`building ${client.name} from source, two to five minutes ...`);
  cpSync(installed, source, { recursive: true });
  const env = {
    ...process.env,
    // The copy is outside of the repository: its own dependencies and node-gyp are here.
    NODE_PATH: modules,
    PATH: [join(modules, '.bin'), process.env.PATH].join(delimiter),
    npm_config_node_gyp: join(modules, 'node-gyp', 'bin', 'node-gyp.js'),
    ...headersOfNode(),
    ...client.env,
  };
  delete env.NODE_OPTIONS;
  delete env.MAKEFLAGS; // the clients' own rules miss a dependency that parallel jobs would need
  const { status, signal, error } = spawnSync(process.execPath, client.command, {
    cwd: source,
    env,
    stdio: ['ignore', process.env.CI ? 'inherit' : 'ignore', 'inherit'],
  });
  if (status !== 0) {
    const reason = error?.message ?? signal ?? `exit code ${status}`;
    throw new Error(`the build failed (${reason}); by the names of Debian and Ubuntu it needs ${DEBIAN_PACKAGES}`);
  }
  mkdirSync(join(staging, target));
  renameSync(join(source, 'build', 'Release', client.binding), join(staging, target, client.binding));
  mkdirSync(join(staging, 'deps'));
  // The binding looks for these in `../deps`.
  for (const library of ['librdkafka.so.1', 'librdkafka++.so.1', 'librdkafka.1.dylib', 'librdkafka++.1.dylib']) {
    const path = join(source, 'build', 'deps', library);
    if (existsSync(path)) cpSync(path, join(staging, 'deps', library), { dereference: true });
  }
  rmSync(source, { recursive: true });
  say(`built in ${((Date.now() - startedMs) / 1000).toFixed(0)} s`);
}

/** A place that the client's loader knows, and that takes one binding for each version of Node. */
function putInPlace(built, installed) {
  const place = join(installed, 'lib', 'binding');
  mkdirSync(place, { recursive: true });
  for (const part of [target, 'deps']) cpSync(join(built, part), join(place, part), { recursive: true, force: true });
}

/** Loads the client in a process of its own, as an application would; what it says of itself. */
function report(client) {
  const code = `const c = require(${JSON.stringify(client.name)}); console.log('librdkafka ' + c.librdkafkaVersion)`;
  return execFileSync(process.execPath, ['-e', code], { cwd: root, encoding: 'utf8' }).trim();
}

function say(text) {
  process.stderr.write(`[build:native] ${text}\n`);
}
