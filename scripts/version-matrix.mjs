/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// npm run test:versions -- client[@version] …    (no argument: every client of scripts/versions.mjs)
//
// Runs a scenario with each supported version of a client, installed into the cache folder, and compares what it prints
// with a text. No part of `npm test`: it asks the registry. The scenario is started as `node scenario folder version`, with
// the brokers' variables in its environment, and loads the client from the `node_modules` of that folder.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { headersOfNode } from './node-headers.mjs';
import { CLIENTS } from './versions.mjs';

const TIMEOUT_MS = 120_000;

const root = resolve(import.meta.dirname, '..');
const require = createRequire(import.meta.url);
const { startBrokers } = require(join(root, 'test-utils'));
const { cached } = require(join(root, 'test-utils/build/brokers/cache.js'));

const runs = plan(process.argv.slice(2));
const names = [...new Set(runs.flatMap(({ client }) => client.brokers))];
const brokers = await startBrokers(names, { log: (line) => console.error(line) });
let failures = 0;
try {
  for (const { client, version } of runs) failures += (await run(client, version)) ? 0 : 1;
} finally {
  await brokers.stop();
}
process.exitCode = failures === 0 ? 0 : 1;

/** The runs that the arguments ask for. */
function plan(wanted) {
  const all = wanted.length > 0 ? wanted : Object.keys(CLIENTS);
  return all.flatMap((text) => {
    const [, name, version] = /^(.+?)(?:@([^@]+))?$/.exec(text) ?? [];
    const client = CLIENTS[name];
    if (client === undefined) {
      console.error(`no client '${name}'; there are ${Object.keys(CLIENTS).join(', ')}`);
      process.exit(2);
    }
    return (version ? [version] : client.versions).map((each) => ({ client: { name, ...client }, version: each }));
  });
}

/** Whether a version did what it should; what it cannot do here is said, and is no failure. */
async function run(client, version) {
  const title = `${client.name} ${version} on Node ${process.versions.node}`;
  const needed = client.node?.(version) ?? 0;
  if (Number(process.versions.node.split('.')[0]) < needed) {
    console.log(`${title}: not run, it needs Node ${needed}`);
    return true;
  }
  // What is compiled serves one major of Node.
  const abi = client.needsScripts ? `-node-v${process.versions.modules}` : '';
  const name = `versions/${client.name.replaceAll('/', '+')}-${version}${abi}`;
  const folder = await cached(name, (staging) => install(client, version, staging)).catch((error) => {
    console.log(`${title}: FAILED, it could not be installed (${error.message})`);
  });
  if (folder === undefined) return false;
  const variants = [[], ...(client.variants ?? [])];
  return variants.map((options) => isAsExpected(client, version, folder, options, title)).every((isGood) => isGood);
}

function isAsExpected(client, version, folder, options, title) {
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [...(client.nodeOptions ?? []), ...options, join(root, client.scenario), folder, version],
    { cwd: root, encoding: 'utf8', timeout: TIMEOUT_MS, env: { ...process.env, ...brokers.env } },
  );
  const isGood = status === 0 && stdout === readFileSync(join(root, client.expected), 'utf8');
  const variant = [title, ...options].join(' ');
  console.log(`${variant}: ${isGood ? 'as expected' : `FAILED (${signal ?? status})\n${stderr}${stdout}`}`);
  return isGood;
}

async function install(client, version, folder) {
  console.error(`installing ${client.name} ${version} ...`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'package.json'),
    `${JSON.stringify({ private: true, dependencies: client.packages(version) }, null, 2)}\n`,
  );
  // Without their scripts: what has to be compiled is not what these scenarios are about, unless a client says so.
  const scripts = client.needsScripts ? [] : ['--ignore-scripts'];
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', ...scripts], {
    cwd: folder,
    env: { ...process.env, ...(client.needsScripts ? headersOfNode() : undefined), ...client.installEnv },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
