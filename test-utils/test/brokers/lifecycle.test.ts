/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../../src/brokers/cache';
import type { BrokerName } from '../../src/brokers/index';
import { descendants, survivors } from './processes';

// The command line runs the built code; `npm run build` comes first, as in `npm test`.
const COMMAND = join(__dirname, '../../bin/brokers.js');
const ADDRESSES = /^(SQS_ENDPOINT|RABBITMQ_URL|KAFKA_BROKERS)$/;
const GONE_WITHIN_MS = 10_000;
/** A test may be the first that needs a broker on this machine, and prepare it. */
const FIRST_TIME_MS = 600_000;

let temporary: string;
let cache: string;
let owner: ChildProcess | undefined;

beforeEach(async () => {
  temporary = mkdtempSync(join(realpathSync(tmpdir()), 'brokers-test-'));
  cache = await cacheFolder();
});

afterEach(() => {
  owner?.kill('SIGKILL');
  owner = undefined;
  rmSync(temporary, { recursive: true, force: true });
});

/** A process that owns brokers, with a folder for temporary files that is its own. */
function startOwner(names: readonly BrokerName[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !ADDRESSES.test(name));
  owner = spawn(process.execPath, [COMMAND, ...names], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...Object.fromEntries(inherited), TMPDIR: temporary, OTEL_MESSAGING_CACHE: cache, ...env },
  });
  return owner;
}

/** Resolves when the owner has printed `line`. */
function printed(child: ChildProcess, line: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    const look = (data: Buffer) => {
      text += data;
      if (line.test(text)) resolve();
    };
    child.stdout!.on('data', look);
    child.stderr!.on('data', look);
    child.once('exit', (code) => reject(new Error(`ended (${code}):\n${text}`)));
  });
}

const exited = (child: ChildProcess) =>
  new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));

/** What is left in `folder`; the guards need a moment to empty it. */
async function leftIn(folder: string): Promise<string[]> {
  const end = Date.now() + GONE_WITHIN_MS;
  while (readdirSync(folder).length > 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
  return readdirSync(folder);
}

async function expectNothingLeft(pids: Iterable<number>): Promise<void> {
  expect(await survivors(pids, GONE_WITHIN_MS)).toEqual([]);
  expect(await leftIn(temporary)).toEqual([]);
}

/** Puts a program that is a shell script into `folder`. */
function script(folder: string, name: string, text: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(folder, name), 0o755);
}

describe('a killed owner leaves neither a process nor a file', () => {
  test.each([
    ['sqs', /strict-sqs/],
    ['rabbitmq', /beam/],
    ['kafka', /kafka\.Kafka/],
  ] as const)(
    '%s',
    async (name, process) => {
      const child = startOwner([name]);
      await printed(child, /^export /m);
      const brokers = descendants(child.pid!);
      expect([...brokers.values()].join('\n')).toMatch(process);
      child.kill('SIGKILL');
      await expectNothingLeft(brokers.keys());
    },
    FIRST_TIME_MS,
  );

  test(
    'that was still starting them',
    async () => {
      const child = startOwner(['rabbitmq', 'kafka']);
      while (![...descendants(child.pid!).values()].some((command) => /beam/.test(command))) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const brokers = descendants(child.pid!);
      child.kill('SIGKILL');
      await expectNothingLeft(brokers.keys());
    },
    FIRST_TIME_MS,
  );

  test(
    'that was still downloading one',
    async () => {
      const tools = join(temporary, 'tools');
      cache = join(temporary, 'cache');
      mkdirSync(tools);
      mkdirSync(cache);
      script(tools, 'mvn', 'exec sleep 60');
      const child = startOwner(['kafka'], { PATH: `${tools}:${process.env['PATH']}` });
      while (![...descendants(child.pid!).values()].some((command) => /sleep 60/.test(command))) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect(readdirSync(cache)).toHaveLength(1);
      const downloads = descendants(child.pid!);
      child.kill('SIGKILL');
      expect(await survivors(downloads.keys(), GONE_WITHIN_MS)).toEqual([]);
      expect(await leftIn(cache)).toEqual([]);
    },
    FIRST_TIME_MS,
  );
});

describe('an owner that is asked to end stops its brokers first', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s',
    async (signal) => {
      const child = startOwner(['sqs', 'kafka']);
      await printed(child, /^export /m);
      const brokers = descendants(child.pid!);
      child.kill(signal);
      expect(await exited(child)).toBe(0);
      await expectNothingLeft(brokers.keys());
    },
    FIRST_TIME_MS,
  );

  test(
    'by the end of its input',
    async () => {
      const child = startOwner(['sqs']);
      await printed(child, /^export /m);
      const brokers = descendants(child.pid!);
      child.stdin!.end();
      expect(await exited(child)).toBe(0);
      await expectNothingLeft(brokers.keys());
    },
    FIRST_TIME_MS,
  );
});

test(
  'brokers are started without the settings that their owner is instrumented with',
  async () => {
    const preload = join(temporary, 'preload.js');
    writeFileSync(
      preload,
      `require('fs').appendFileSync(${JSON.stringify(join(temporary, 'loaded'))}, process.argv[1] + '\\n')`,
    );
    const child = startOwner(['sqs'], { NODE_OPTIONS: `--require ${preload}`, OTEL_SERVICE_NAME: 'owner' });
    await printed(child, /^export /m);
    expect(readdirSync(temporary).sort()).toEqual(['loaded', 'preload.js']);
    expect(readFileSync(join(temporary, 'loaded'), 'utf8')).toBe(`${COMMAND}\n`);
  },
  FIRST_TIME_MS,
);
