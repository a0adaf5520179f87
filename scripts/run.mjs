/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// npm run demo | npm run example | npm test | npm run bench: on a fresh clone each of them first installs and builds what it needs.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = resolve(import.meta.dirname, '..');
const startedMs = Date.now();

const [task, ...args] = process.argv.slice(2);
process.chdir(root);
requireNode(20, 19);
install();
build();
if (task === 'demo') await hand('examples/order-pipeline/run.js');
else if (task === 'bench') await hand('bench/run.mjs');
else if (task === 'sdk') await hand('scripts/sdk-matrix.mjs');
else if (task === 'native') await hand('scripts/build-native.mjs');
else if (task === 'elasticmq') await hand('scripts/elasticmq.mjs');
else if (task === 'node24') await newerNode();
else if (task === 'versions') await hand('scripts/version-matrix.mjs');
else if (task === 'example') await hand(exampleNamed(args.shift()));
else if (task === 'restarts') restarts();
else if (task === 'test') test();
else fail(`unknown task '${task}': demo, example, test, restarts, bench, sdk, native, node24, versions or elasticmq`);

/** Types, lint, then jest with the brokers; arguments go to jest. */
function test() {
  step('types of the tests', 'tsc', ['-p', 'tsconfig.test.json']);
  step('format and lint', 'biome', ['check', '.']);
  step('import directions', process.execPath, ['scripts/check-imports.mjs']);
  step('lockfile', process.execPath, ['scripts/complete-lockfile.mjs', '--check']);
  step('unit, conformance and integration tests', 'jest', args);
  say(`all passed in ${seconds(startedMs)}`);
}

/** Brokers that are stopped and killed under load, several times; `npm test` does it once. */
function restarts() {
  process.env.OTEL_MESSAGING_RESTARTS ??= '6';
  process.env.OTEL_MESSAGING_TEST_BROKERS ??= 'none'; // each test has a broker of its own
  step('restarts under load', 'jest', ['--maxWorkers=1', '--verbose', 'restarts', ...args]);
}

/** What hooks modules, which newer Nodes do in another way: `packages/auto`, or the tests named. */
async function newerNode() {
  const { findRuntimes } = await import('../bench/runtimes.mjs');
  const { name, binary } = findRuntimes('always').at(-1);
  const tests = args.length > 0 ? args : ['packages/auto'];
  step(`hooks of modules on ${name}`, binary, [join(root, 'node_modules/jest/bin/jest.js'), ...tests]);
}

/** Installs if node_modules was not made from this lockfile. */
function install() {
  const hash = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex');
  const stamp = join('node_modules', '.otel-messaging-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  step('installing dependencies (about a minute)', 'npm', ['ci', '--loglevel=error']);
  writeFileSync(stamp, hash);
}

function build() {
  step('build', 'tsc', ['-b']);
}

function exampleNamed(name) {
  const programOf = (each) =>
    ['run.js', 'run.mjs'].map((file) => join('examples', each, file)).find((file) => existsSync(file));
  const program = name && programOf(name);
  if (program) return program;
  const names = readdirSync('examples').filter(programOf);
  return fail(`which example? There are ${names.join(', ')}: npm run example -- ${names[0]}`, 2);
}

/** The rest is the program's: it runs in this very process, so that signals and the exit status are its own. */
async function hand(program) {
  const path = join(root, program);
  process.argv = [process.argv[0], path, ...args];
  await import(pathToFileURL(path).href);
}

function step(what, command, parameters) {
  const stepMs = Date.now();
  say(`${what} ...`);
  const local = join(root, 'node_modules', '.bin', command);
  const { status, signal, error } = spawnSync(existsSync(local) ? local : command, parameters, { stdio: 'inherit' });
  if (error) fail(`${what}: ${error.message}`);
  if (status !== 0) fail(`${what}: failed${signal ? ` (${signal})` : ''}`, status ?? 1);
  say(`${what}: ${seconds(stepMs)}`);
}

function requireNode(major, minor) {
  const [haveMajor, haveMinor] = process.versions.node.split('.').map(Number);
  if (haveMajor < major || (haveMajor === major && haveMinor < minor)) {
    fail(`Node.js ${major}.${minor} or newer is needed, this is ${process.versions.node}`);
  }
}

function seconds(sinceMs) {
  return `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;
}

function say(text) {
  process.stderr.write(`[${task}] ${text}\n`);
}

function fail(text, status = 1) {
  say(text);
  process.exit(status);
}
