/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiagLogLevel, diag } from '@opentelemetry/api';
import {
  eventually,
  freePorts,
  type OwnBroker,
  startOwnBroker,
  startTracing,
  type Tracing,
  traceText,
} from '@otel-messaging/test-utils';
import { amqplib, instrumentation } from './amqplib';
import { selfSigned } from './certificate';

/** Whatever makes a URL ambiguous; `%` at its end, so that it is no escape. */
const PASSWORD = 'p@ss:w/o?r#d&secret%';
const USER = 'us:er@x/?#secret%';
const VHOST = 'orders/eu';

const { certificate, key } = selfSigned();
let folder: string;
let broker: OwnBroker;
let plainPort: number;
let tlsPort: number;
let tracing: Tracing;
let logged: unknown[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'otel-messaging-tls-'));
  const file = async (name: string, content: string) => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  const permissions = { configure: '.*', write: '.*', read: '.*' };
  const definitions = {
    vhosts: [{ name: '/' }, { name: VHOST }],
    users: [{ name: USER, password: PASSWORD, tags: [] }],
    permissions: [{ user: USER, vhost: VHOST, ...permissions }],
  };
  [tlsPort] = (await freePorts(1)) as [number];
  broker = await startOwnBroker('rabbitmq', {
    settings: [
      `listeners.ssl.1 = 127.0.0.1:${tlsPort}`,
      `ssl_options.cacertfile = ${await file('ca.pem', certificate)}`,
      `ssl_options.certfile = ${await file('certificate.pem', certificate)}`,
      `ssl_options.keyfile = ${await file('key.pem', key)}`,
      'ssl_options.verify = verify_none',
      'ssl_options.fail_if_no_peer_cert = false',
      `load_definitions = ${await file('definitions.json', JSON.stringify(definitions))}`,
    ],
  });
  plainPort = Number(new URL(String(broker.env['RABBITMQ_URL'])).port);
}, 90_000);

afterAll(async () => {
  await broker?.stop();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(() => {
  tracing = startTracing([instrumentation]);
  logged = [];
  const log = (...args: unknown[]) => void logged.push(args);
  diag.setLogger({ error: log, warn: log, info: log, debug: log, verbose: log }, DiagLogLevel.ALL);
});

afterEach(async () => {
  diag.disable();
  await tracing.stop();
});

const encoded = (text: string) => encodeURIComponent(text);
const parts = { username: USER, password: PASSWORD, vhost: encoded(VHOST), hostname: 'localhost' };

test.each<[string, () => unknown, () => number]>([
  [
    'a TLS URL with escaped credentials and virtual host',
    () => `amqps://${encoded(USER)}:${encoded(PASSWORD)}@localhost:${tlsPort}/${encoded(VHOST)}`,
    () => tlsPort,
  ],
  ['an object with TLS', () => ({ ...parts, protocol: 'amqps', port: tlsPort }), () => tlsPort],
  [
    'a URL without TLS',
    () => `amqp://${encoded(USER)}:${encoded(PASSWORD)}@localhost:${plainPort}/${encoded(VHOST)}?heartbeat=5`,
    () => plainPort,
  ],
  ['an object without TLS', () => ({ ...parts, port: plainPort }), () => plainPort],
])('%s: a trace, the host and port, and nothing of the credentials anywhere', async (_, url, port) => {
  const connection = await amqplib.connect(url() as string, { ca: [certificate] });
  const channel = await connection.createConfirmChannel();
  const { queue } = await channel.assertQueue('orders', { exclusive: true });
  await tracing.inSpan('app', async () => {
    channel.sendToQueue(queue, Buffer.from('x'));
    await channel.waitForConfirms();
  });
  await channel.consume(queue, (message) => message && channel.ack(message));
  await eventually('the message', () => tracing.spans().length === 3);
  await connection.close();
  expect(traceText(tracing.spans())).toBe(
    ['app INTERNAL', '└─ publish orders PRODUCER', '   └─ consume orders CONSUMER  → publish orders'].join('\n'),
  );
  const [publish, consume] = ['publish', 'consume'].map((start) =>
    tracing.spans().find(({ name }) => name.startsWith(start)),
  );
  for (const span of [publish, consume]) {
    expect(span?.attributes).toMatchObject({ 'server.address': 'localhost', 'server.port': port() });
  }
  expect(publish?.attributes).toMatchObject({ 'network.peer.address': '127.0.0.1', 'network.peer.port': port() });
  expectNoCredentials(await tracing.metrics());
});

test.each([
  ['a slash', 'p/ss'],
  ['a question mark', 'p?ss'],
  ['a hash', 'p#ss'],
  ['an at sign and a colon', 'p@s:s'],
])(
  'a connection that fails, with a password that has %s unescaped: nothing of it is recorded or logged',
  async (_, password) => {
    const url = `amqp://us:er:${password}secret@localhost:${plainPort}/x`;
    await expect(async () => amqplib.connect(url)).rejects.toThrow();
    expectNoCredentials(await tracing.metrics());
  },
);

test('an IPv6 address: written without brackets', async () => {
  const proxy = createServer((socket) => {
    const onward = connect(plainPort, '127.0.0.1');
    socket.pipe(onward).pipe(socket);
    for (const each of [socket, onward]) each.on('error', () => {});
  });
  const isListening = await new Promise<boolean>((resolve) => {
    proxy.once('error', () => resolve(false));
    proxy.listen(0, '::1', () => resolve(true));
  });
  if (!isListening) {
    console.warn('not applicable: this machine has no IPv6 loopback');
    return;
  }
  const { port } = proxy.address() as AddressInfo;
  const connection = await amqplib.connect(
    `amqp://${encoded(USER)}:${encoded(PASSWORD)}@[::1]:${port}/${encoded(VHOST)}`,
  );
  (await connection.createChannel()).sendToQueue('nowhere', Buffer.from('x'));
  await connection.close();
  proxy.close();
  const address = { 'server.address': '::1', 'server.port': port };
  const peer = { 'network.peer.address': '::1', 'network.peer.port': port };
  expect(tracing.spans()[0]?.attributes).toMatchObject({ ...address, ...peer });
  expectNoCredentials(await tracing.metrics());
});

function expectNoCredentials(metrics: unknown): void {
  const spans = tracing
    .spans()
    .map(({ name, attributes, events, links, status }) => [name, attributes, events, links, status]);
  const all = JSON.stringify([spans, metrics, logged]);
  expect(all).not.toMatch(/secret|us:er|p@s|p\/ss|p\?ss|p#ss/);
  expect(all).not.toContain(encoded(PASSWORD));
}
