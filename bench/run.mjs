/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { readOptions } from './options.mjs';
import { CONTESTANTS, planCells, RETENTION_PATTERNS } from './plan.mjs';
import { missesBudget, renderTables, renderVerdicts } from './report.mjs';
import { runChild } from './run-child.mjs';
import { findRuntimes } from './runtimes.mjs';
import { differences, unexpected } from './shape.mjs';

const README = new URL('README.md', import.meta.url);
const RETAINED_MESSAGES = { quick: 10_000, full: 30_000 };
const OUR_CLASSES = {
  amqp: 'AmqpInstrumentation',
  'amqp-manager': 'AmqpInstrumentation',
  kafka: 'KafkaInstrumentation',
  confluent: 'KafkaInstrumentation',
  sqs: 'SqsInstrumentation',
  sns: 'SqsInstrumentation',
  'sqs-consumer': 'SqsInstrumentation',
  lambda: 'SqsInstrumentation',
};
/** Clients that share the package of another one. */
const PACKAGES = {
  'amqp-manager': 'amqp',
  confluent: 'kafka',
  sns: 'sqs',
  'sqs-consumer': 'sqs',
  lambda: 'sqs',
};

async function main() {
  const options = readOptions(process.argv.slice(2));
  const runtimes = findRuntimes(options.node24);
  const cells = planCells({ ...options, runtimes }).map((cell) => ({ ...cell, samples: {}, shapes: {} }));
  if (cells.length === 0) throw new Error('these options select no cell');
  const contestants = availableContestants(options.contestants, new Set(cells.map(({ client }) => client)));
  const patterns = options.retained ? retentionRuns(cells, runtimes) : [];
  const problems = new Set();
  const results = { cells, retained: [] };

  const progress = new Progress();
  for (const pattern of patterns) {
    const bytes = {};
    for (const contestant of contestants) {
      progress.show(`bytes kept: ${pattern.runtime.name} ${pattern.title}, ${contestant}`);
      if (!covers(contestant, pattern.client)) continue;
      const result = await attempt(
        pattern,
        contestant,
        { retained: RETAINED_MESSAGES[options.quick ? 'quick' : 'full'] },
        problems,
      );
      if (result !== undefined) bytes[contestant] = result.bytes;
    }
    results.retained.push({ ...pattern, bytes });
  }
  await runRounds(cells, contestants, options, progress, problems);
  progress.clear();

  const tables = renderTables(results, runtimes);
  const verdicts = renderVerdicts(results);
  console.log(`\n${tables}\n\n${verdicts}\n`);
  printDifferences(cells);
  for (const problem of problems) console.log(`UNEXPECTED: ${problem}`);
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(results, null, 1));
  if (options.update) updateReadme(tables, verdicts, cells, contestants);
  process.exitCode = problems.size > 0 || (options.strict && missesBudget(results)) ? 1 : 0;
}

/** Every contestant of a cell in turn, every cell in turn, again and again until the time is used up. */
async function runRounds(cells, contestants, { rounds, minutes, timing }, progress, problems) {
  const settings = { 'slice-ms': timing.sliceMs, slices: timing.slices, 'warm-ms': timing.warmMs };
  const endMs = progress.startedMs + minutes * 60_000;
  let roundMs = 0;
  for (let round = 0; round < rounds; round++) {
    const roundStartedMs = Date.now();
    if (round > 0 && roundStartedMs + roundMs > endMs) return;
    for (const [number, cell] of cells.entries()) {
      // Rotated, so that no contestant always follows the same one.
      const order = contestants.map((_, i) => contestants[(i + round) % contestants.length]);
      for (const contestant of order) {
        if (!covers(contestant, cell.client)) continue;
        const { runtime, mode, client, op } = cell;
        progress.show(
          `round ${round + 1}, cell ${number + 1} of ${cells.length}: ${runtime.name} ${mode} ${client} ${op} ${contestant}`,
        );
        const result = await attempt(cell, contestant, settings, problems);
        if (result === undefined) continue;
        cell.samples[contestant] ??= [];
        cell.samples[contestant].push(...result.perMessage);
        cell.shapes[contestant] = result.shape;
      }
    }
    roundMs = Date.now() - roundStartedMs;
  }
}

async function attempt(cell, contestant, settings, problems) {
  const { runtime, client, op, mode } = cell;
  try {
    const result = await runChild(cell, contestant, settings);
    for (const problem of unexpected(cell, contestant, result.shape)) {
      problems.add(`${contestant}, ${client} ${op}, ${mode}: ${problem}`);
    }
    return result;
  } catch (error) {
    problems.add(
      `${runtime.name} ${contestant}, ${client} ${op}, ${mode}: ${error.message.split('\n').slice(0, 3).join(' ')}`,
    );
    return undefined;
  }
}

const missing = new Set();

function covers(contestant, client) {
  if (contestant === 'upstream' && client === 'confluent') return false; // it has none
  return contestant !== 'ours' || !missing.has(client);
}

/** The contestants asked for; says which of ours are not built. */
function availableContestants(wanted, clients) {
  const require = createRequire(import.meta.url);
  for (const client of clients) {
    try {
      const ours = require(`@otel-messaging/instrumentation-${PACKAGES[client] ?? client}`);
      if (typeof ours[OUR_CLASSES[client]] === 'function') continue;
      console.log(`ours, ${client}: the package exports no ${OUR_CLASSES[client]}; left out`);
    } catch (error) {
      console.log(`ours, ${client}: cannot be loaded (${error.message.split('\n')[0]}); left out. Is it built?`);
    }
    missing.add(client);
  }
  return CONTESTANTS.filter((name) => wanted === undefined || wanted.includes(name));
}

function retentionRuns(cells, runtimes) {
  const clients = new Set(cells.map(({ client }) => client));
  return runtimes.flatMap((runtime) =>
    RETENTION_PATTERNS.filter(({ client }) => clients.has(client)).map((pattern) => ({
      ...pattern,
      runtime,
      mode: 'metrics',
    })),
  );
}

/** Ours against hand-written, once per operation: a ratio says nothing if one of them leaves something out. */
function printDifferences(cells) {
  for (const cell of cells.filter(({ mode, runtime }) => mode === 'metrics' && runtime === cells[0].runtime)) {
    const { 'hand-written': handWritten, ours } = cell.shapes;
    if (handWritten === undefined || ours === undefined) continue;
    const lines = differences(handWritten, ours);
    if (lines.length === 0) continue;
    console.log(`output of ${cell.client} ${cell.op} differs (- hand-written, + ours):\n  ${lines.join('\n  ')}`);
  }
}

function updateReadme(tables, verdicts, cells, contestants) {
  const slices = Math.min(...cells.flatMap(({ samples }) => Object.values(samples).map((values) => values.length)));
  const made = `Measured ${new Date().toISOString().slice(0, 10)}${atCommit()} on ${cpus().length} cores of ${cpus()[0].model.trim()}, at least ${slices} slices per cell and contestant (${contestants.join(', ')}).`;
  const text = readFileSync(README, 'utf8');
  const block = `<!-- bench:begin -->\n\n${made}\n\n${verdicts}\n\n${tables}\n\n<!-- bench:end -->`;
  writeFileSync(
    README,
    text.replace(/<!-- bench:begin -->[\s\S]*<!-- bench:end -->/, () => block),
  );
}

/** The sources that were measured, where that can be known. */
function atCommit() {
  try {
    const git = (...args) => execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
    const changed = git('status', '--porcelain', '--', '../packages') === '' ? '' : ', with changes';
    return ` at ${git('rev-parse', '--short', 'HEAD')}${changed}`;
  } catch {
    return '';
  }
}

/** One line that says what runs now; rewritten on a terminal, every ten seconds elsewhere. */
class Progress {
  startedMs = Date.now();
  shownMs = 0;
  show(text) {
    const seconds = Math.round((Date.now() - this.startedMs) / 1000);
    const line = `[${seconds} s] ${text}`;
    if (process.stdout.isTTY) process.stdout.write(`\r\u001b[K${line}`);
    else if (Date.now() - this.shownMs > 10_000) {
      console.log(line);
      this.shownMs = Date.now();
    }
  }
  clear() {
    if (process.stdout.isTTY) process.stdout.write('\r\u001b[K');
  }
}

await main();
