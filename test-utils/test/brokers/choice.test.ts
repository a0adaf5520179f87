/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBrokers } from '../../src/brokers/index';
import { accepts } from '../../src/brokers/ports';
import { findProgram } from '../../src/brokers/programs';

const environment = process.env;
let folder: string;
let tools: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'choice-test-'));
  tools = join(folder, 'tools');
  mkdirSync(tools);
  // A machine on which nothing is installed but what the shell scripts need.
  for (const name of ['sh', 'sleep', 'rm', 'cat', 'node']) {
    symlinkSync(name === 'node' ? process.execPath : (await findProgram(name))!, join(tools, name));
  }
  process.env = { PATH: tools, HOME: folder, OTEL_MESSAGING_CACHE: join(folder, 'cache') };
});

afterEach(() => {
  process.env = environment;
  rmSync(folder, { recursive: true, force: true });
});

function tool(name: string, text: string): void {
  writeFileSync(join(tools, name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(tools, name), 0o755);
}

describe('an address in the environment', () => {
  let server: Server;
  let port: number;

  beforeEach(async () => {
    server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });

  afterEach(() => new Promise((resolve) => server.close(resolve)));

  test('is taken before anything else, and said without its password', async () => {
    process.env['RABBITMQ_URL'] = `amqp://user:secret@127.0.0.1:${port}/host`;
    process.env['KAFKA_BROKERS'] = `127.0.0.1:${port}, 127.0.0.1:1`;
    process.env['SQS_ENDPOINT'] = `http://127.0.0.1:${port}`;
    process.env['AWS_REGION'] = 'eu-central-1';
    const lines: string[] = [];
    const started = await startBrokers(['rabbitmq', 'kafka', 'sqs'], { log: (line) => lines.push(line) });
    expect(lines.sort()).toEqual([
      `kafka: KAFKA_BROKERS of the environment (127.0.0.1:${port})`,
      `rabbitmq: RABBITMQ_URL of the environment (127.0.0.1:${port})`,
      `sqs: SQS_ENDPOINT of the environment (127.0.0.1:${port})`,
    ]);
    expect(started.env).toEqual({
      RABBITMQ_URL: `amqp://user:secret@127.0.0.1:${port}/host`,
      KAFKA_BROKERS: `127.0.0.1:${port}, 127.0.0.1:1`,
      SQS_ENDPOINT: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: 'eu-central-1',
    });
    await started.stop();
    expect(await accepts('127.0.0.1', port)).toBe(true);
  });

  test('where nothing answers is an error, even if there is another way', async () => {
    process.env['SQS_ENDPOINT'] = 'http://127.0.0.1:1';
    await expect(startBrokers(['sqs'])).rejects.toThrow('SQS_ENDPOINT names 127.0.0.1:1, where nothing answers');
  });

  test.each([
    ['RABBITMQ_URL', 'rabbitmq', 'user:secret@127.0.0.1', 'amqp://user:password@127.0.0.1:5672'],
    ['RABBITMQ_URL', 'rabbitmq', 'secret', 'amqp://user:password@127.0.0.1:5672'],
    ['SQS_ENDPOINT', 'sqs', '127.0.0.1:9324', 'http://127.0.0.1:9324'],
    ['KAFKA_BROKERS', 'kafka', 'a b', '127.0.0.1:9092,127.0.0.1:9093'],
  ] as const)('%s that is none is an error that does not repeat it', async (variable, name, value, example) => {
    process.env[variable] = value;
    const message = `${variable} is not an address such as ${example}`;
    await expect(startBrokers([name])).rejects.toThrow(new Error(message));
  });
});

test('a broker that cannot be had ends the others and names the command that provides it', async () => {
  const lines: string[] = [];
  const starting = startBrokers(['sqs', 'kafka'], { log: (line) => lines.push(line) });
  await expect(starting).rejects.toThrow(
    [
      'No kafka to be had:',
      '  - no Java, and no apt-get, so not a Debian or Ubuntu system',
      '  - no container engine (docker)',
      '  Provide it with: sudo apt-get install default-jre-headless maven, or KAFKA_BROKERS=host:port',
    ].join('\n'),
  );
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(lines.join('\n'))?.[1]);
  expect(await accepts('127.0.0.1', port)).toBe(false);
});

test('a Java that is too old is not used', async () => {
  tool('java', `echo 'openjdk version "11.0.2"' >&2`);
  await expect(startBrokers(['kafka'])).rejects.toThrow('Java 11 is too old, 17 is needed');
});

test('a container engine that is installed but does not answer is not used', async () => {
  tool('docker', '[ "$1" = --version ]');
  await expect(startBrokers(['kafka'])).rejects.toThrow('no container engine answers (docker info)');
});

test('a container is the last way, and is taken down at the end', async () => {
  const calls = join(folder, 'calls');
  const listener = join(folder, 'listener');
  tool(
    'docker',
    `echo "$*" >> ${calls}
case "$*" in
  *' up '*)
    node -e "require('net').createServer().listen($KAFKA_PORT, '127.0.0.1')" >/dev/null 2>&1 &
    echo $! > ${listener}
    while ! node -e "require('net').connect($KAFKA_PORT, '127.0.0.1').on('connect', () => process.exit())" 2>/dev/null; do sleep 0.1; done ;;
  *' down '*) kill "$(cat ${listener})"; rm ${listener} ;;
esac`,
  );
  const started = await startBrokers(['kafka']);
  const [broker] = started.brokers;
  expect(broker!.how).toMatch(/^a container of compose\.yaml \(127\.0\.0\.1:\d+\)$/);
  expect(started.env).toEqual({ KAFKA_BROKERS: expect.stringMatching(/^127\.0\.0\.1:\d+$/) });
  expect(existsSync(listener)).toBe(true);

  await started.stop();

  expect(existsSync(listener)).toBe(false);
  const [, , up, down] = readFileSync(calls, 'utf8').split('\n');
  const project = /-p (otel-messaging-\w+) -f \S+compose\.yaml/.exec(up!)?.[1];
  expect(up).toMatch(/ up --detach --wait .* kafka$/);
  expect(down).toMatch(new RegExp(`-p ${project} .* down --volumes`));
}, 60_000);
